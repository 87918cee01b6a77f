# CHUNKING, also with a message that is larger than a chunk, and a refusal of one message at BDAT.
# mailhaul must deliver the rest.
@sink smtp
@sink-capability PIPELINING; CHUNKING; SIZE; 8BITMIME
@messages 1..1
@messages 2..2 octets=3000000
@messages 3..4
@sink-on ^\. 3\b
S: 554 5.6.0 refused
@run fetch
@expect-exit 65
@expect-quarantine 3
@sink-expect-handed 1 2 4
@sink-never-sent ^DATA
