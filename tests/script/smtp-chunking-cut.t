# The connection is cut behind BDAT LAST.
# mailhaul must call that one message in doubt and send it once more in the next pass.
@sink smtp
@sink-capability PIPELINING; CHUNKING
@messages 1..3
@run fetch
@sink-on ^\. 2\b
@cut
@expect-exit 75
@sink-expect-unanswered 2
@sink-expect-handed 1 3
@run fetch
@expect-stderr possible duplicate
@sink-expect-handed 1..3
