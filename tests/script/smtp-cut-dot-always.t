# The connection is cut behind the final dot of one message, in every pass: it crashes the server.
# mailhaul must not send it for ever: after three passes it is set aside (65).
@sink smtp
@config leave_on_server = "no"
@sink-on ^\. 2\b
@cut
@messages 1..3
@run fetch
@expect-exit 75
@expect-removed 1 3
@sink-expect-unanswered 2
@sink-expect-handed 1 3
@run fetch
@expect-exit 75
@expect-stderr possible duplicate
@sink-expect-unanswered 2
@sink-expect-handed 1 3
@run fetch
@expect-exit 65
@expect-quarantine 2
@sink-expect-unanswered 2
@sink-expect-handed 1 3
@run fetch
@sink-expect-handed 1 3
@sink-expect-connections 0
