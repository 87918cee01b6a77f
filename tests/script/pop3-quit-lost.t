# QUIT is never answered and nothing was removed (RFC 1939: a session that dies before UPDATE removes nothing).
# mailhaul must not count the mail as removed; the next pass removes it without fetching.
@config leave_on_server = "no"
@messages 1..3
@run fetch
@on ^QUIT
@cut
@expect-exit 75|0
@expect-maildir 1..3
@run fetch
@expect-exit 0
@expect-maildir 1..3
@expect-removed 1..3
@never-sent ^RETR
