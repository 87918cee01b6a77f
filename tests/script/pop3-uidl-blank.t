# A blank UIDL.
# mailhaul must fetch the message all the same, once.
@messages 1..3
@on ^UIDL
S: +OK
S: 1 uidl-1
S: 2 
S: 3 uidl-3
S: .
@run fetch
@expect-exit 0
@run fetch
@expect-exit 0
@expect-maildir 1..3
