# The UIDL listing lacks one number.
# mailhaul must fetch the others, and never remove the one it cannot name.
@config leave_on_server = "no"
@messages 1..3
@on ^UIDL
S: +OK
S: 1 uidl-1
S: 3 uidl-3
S: .
@run fetch
@expect-exit 0|75|76
@expect-maildir 1..3
@never-sent ^DELE 2
@expect-removed 1 3
