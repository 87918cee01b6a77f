# PIPELINING is offered, and one reply too many comes: from there on every answer belongs to another command.
# mailhaul must never deliver a body under the wrong UIDL: go without pipelining and have all, once.
@messages 1
@messages 2 octets=300
@messages 3 octets=400
@messages 4 octets=500
@once ^RETR 2
S: +OK
@stuffed 1
@model
@run fetch
@expect-exit 0|75|76
@expect-maildir any
@run fetch
@expect-exit 0|75|76
@expect-maildir any
@run fetch
@expect-exit 0
@expect-maildir 1..4
