# One of three recipients is refused at RCPT, for every message.
# mailhaul must deliver to the two others, with as many answers behind the dot as were accepted.
@sink lmtp
@sink-config to = { "a@example.net", "b@example.net", "c@example.net" }
@sink-on ^RCPT TO:<b@
S: 550 5.1.1 no such user
@messages 1..2
@run fetch
@expect-exit 65|76
@sink-expect-handed 1 2 to=a@example.net
@sink-expect-handed none to=b@example.net
@sink-expect-handed 1 2 to=c@example.net
