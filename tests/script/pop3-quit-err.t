# -ERR to QUIT: "some deleted messages not removed".
# mailhaul must ask again in the next pass, without fetching.
@config leave_on_server = "no"
@messages 1..3
@once ^QUIT
S: -ERR some deleted messages not removed
@close
@run fetch
@expect-exit 75|76|0
@expect-maildir 1..3
@run fetch
@expect-exit 0
@expect-maildir 1..3
@expect-removed 1..3
@never-sent ^RETR
