# Cut when the first of three recipients was answered for: it has the message, of the others nobody knows.
# mailhaul must not send it again to the first, and once more to the others, as a possible duplicate.
@sink lmtp
@sink-config to = { "a@example.net", "b@example.net", "c@example.net" }
@config leave_on_server = "no"
@messages 1..3
@run fetch
@sink-on ^\. 2 b@
@cut
@expect-exit 75
@expect-removed 1 3
@sink-expect-unanswered 2
@sink-expect-handed 1 2 3 to=a@example.net
@sink-expect-handed 1 3 to=b@example.net
@sink-expect-handed 1 3 to=c@example.net
@run fetch
@expect-stderr possible duplicate
@expect-removed 2
@sink-never-sent ^RCPT TO:<a@
@sink-expect-handed 1 2 3
