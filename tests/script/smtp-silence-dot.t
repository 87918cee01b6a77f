# The server falls silent behind a final dot: it may take 10 x timeout there (RFC 5321 4.5.3.2.6: ten minutes).
# mailhaul must wait that long, not shorter, then call it in doubt.
@sink smtp
@config timeout = 1
@messages 1..2
@run fetch
@sink-on ^\. 1\b
@delay 4000
@model
@sink-on ^\. 2\b
@silent
@expect-exit 75
@sink-expect-handed 1
@sink-expect-unanswered 2
@run fetch
@expect-stderr possible duplicate
@sink-expect-handed 1 2
@within 45
