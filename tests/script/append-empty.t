# A message of no octets: in MULTIAPPEND it calls the whole command off (RFC 3502), and alone nobody stores it.
# mailhaul must append all others, and have that one set aside at the latest after three passes.
@sink imap
@messages 1..2
@bytes-message 3 
@messages 4..5
@run fetch
@expect-exit 65|75
@sink-expect-handed 1 2 4 5
@run fetch
@expect-exit 65|75|0
@sink-expect-handed 1 2 4 5
@run fetch
@expect-exit 65|0
@expect-quarantine 3
@sink-expect-handed 1 2 4 5
