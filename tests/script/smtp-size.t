# SIZE is told, and one message is larger (RFC 1870).
# mailhaul must set that one aside without offering it, with both numbers, and deliver the rest.
@sink smtp
@sink-capability PIPELINING; SIZE 5000
@messages 1..1
@messages 2..2 octets=9000
@messages 3..3
@run fetch
@expect-exit 65
@expect-stderr 5.?000
@expect-quarantine 2
@sink-expect-handed 1 3
@sink-never-sent ^MAIL FROM:<s2@
