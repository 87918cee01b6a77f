# 354 where the answer to the message belongs: client and server are out of step.
# mailhaul must not count it as taken, and must not go on with that connection.
@sink smtp
@config leave_on_server = "no"
@messages 1..3
@run fetch
@sink-once ^\. 2\b
S: 354 go on
@silent
@expect-exit 75|76
@expect-removed 1 3
@sink-expect-handed 1 3
@run fetch
@expect-removed 2
@sink-expect-handed 1..3
