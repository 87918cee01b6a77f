# -ERR to RETR of one message, for ever.
# mailhaul must fetch the rest, try three passes, then set it aside (65), and never remove it.
@config leave_on_server = "no"
@messages 1..3
@run fetch
@on ^RETR 2$
S: -ERR message is corrupt
@expect-exit 75
@expect-maildir 1 3
@expect-removed 1 3
@run fetch
@on ^RETR 1$
S: -ERR message is corrupt
@expect-exit 75
@expect-maildir 1 3
@run fetch
@on ^RETR 1$
S: -ERR message is corrupt
@expect-exit 65
@expect-maildir 1 3
@run fetch
@on ^RETR 1$
S: -ERR message is corrupt
@expect-exit 0
@expect-maildir 1 3
