# UIDL numbers far past what STAT said (fetchmail 6.4 crashes).
# mailhaul must not fetch what is not there, and fetch what is.
@messages 1..2
@on ^UIDL
S: +OK
S: 1 uidl-1
S: 2 uidl-2
@repeat 1000 S: 9999$i extra-$i
S: 4294967296 wrap
S: 4294967297 wrap-one
S: .
@run fetch
@expect-exit 0|75|76
@expect-maildir any
