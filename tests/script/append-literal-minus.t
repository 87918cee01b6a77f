# LITERAL- (RFC 7888): only up to 4096 octets without waiting.
# mailhaul must wait before the large one.
@sink imap
@sink-capability IMAP4rev1 AUTH=PLAIN LITERAL- UIDPLUS MULTIAPPEND
@messages 1..1
@messages 2..2 octets=10000
@messages 3..3
@run fetch
@sink-expect-handed 1..3
@sink-expect-sent \{9\d{3}\}$
