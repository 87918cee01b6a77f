# The LMTP server takes two recipients a message and says 452 to more.
# mailhaul must send the message as often as it takes in the same pass, to each recipient once.
@sink lmtp
@sink-recipients 2
@sink-config to = { "a@example.net", "b@example.net", "c@example.net", "d@example.net", "e@example.net" }
@config leave_on_server = "no"
@messages 1..3
@run fetch
@expect-removed 1..3
@sink-expect-handed 1..3
