# STAT past 64 bits and a negative one.
# mailhaul must not believe it; UIDL tells what is there.
@messages 1..2
@on ^STAT
S: +OK 99999999999999999999 -5
@run fetch
@expect-exit 0|76
@expect-maildir any
