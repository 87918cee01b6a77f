# The listing comes in another order each time, numbers kept.
# mailhaul must go by number and UIDL, not by position.
@messages 1..3
@on ^UIDL
S: +OK
S: 3 uidl-3
S: 1 uidl-1
S: 2 uidl-2
S: .
@run fetch
@expect-exit 0
@run fetch
@expect-exit 0
