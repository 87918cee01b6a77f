# APPENDLIMIT (RFC 7889), and one message is larger.
# mailhaul must set that one aside without offering it, and deliver the rest.
@sink imap
@sink-capability IMAP4rev1 AUTH=PLAIN LITERAL+ UIDPLUS MULTIAPPEND APPENDLIMIT=5000
@messages 1..1
@messages 2..2 octets=9000
@messages 3..3
@run fetch
@expect-exit 65
@expect-quarantine 2
@sink-expect-handed 1 3
@sink-never-sent \{9\d\d\d\+?\}
