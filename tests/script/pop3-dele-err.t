# -ERR to DELE of one message.
# mailhaul must remove the others and keep what it has.
@config leave_on_server = "no"
@messages 1..3
@on ^DELE 2$
S: -ERR no
@run fetch
@expect-exit 0|75|76
@expect-maildir 1..3
@expect-removed 1 3
