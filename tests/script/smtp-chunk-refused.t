# A chunk in the middle of a large message is refused, and what comes behind it too.
# mailhaul must take that for the refusal of this message, find back into step, and deliver the rest.
@sink smtp
@sink-capability PIPELINING; CHUNKING; SIZE
@sink-once ^BDAT \d+$
S: 552 5.3.4 enough of that
@sink-on ^\. 2\b
S: 503 5.5.1 no transaction
@messages 1..1
@messages 2..2 octets=5000000
@messages 3..4
@run fetch
@expect-exit 65
@expect-quarantine 2
@sink-expect-handed 1 3 4
