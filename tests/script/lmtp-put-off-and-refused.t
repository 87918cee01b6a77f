# One recipient is refused for good, another is over quota for now (452), and on_reject is "drop".
# mailhaul must not give the message up for the second because of the first: it stays on the server until he has it.
@sink lmtp
@sink-config on_reject = "drop"
@sink-config to = { "gone@example.net", "full@example.net", "fine@example.net" }
@config leave_on_server = "no"
@messages 1..1
@run fetch
@sink-on ^RCPT TO:<gone@
S: 550 5.1.1 nobody here
@sink-on ^\. 1 full@
S: 452 4.2.2 over quota
@expect-exit 75
@sink-expect-handed any
@run fetch
@sink-on ^RCPT TO:<gone@
S: 550 5.1.1 nobody here
@expect-exit 0
@expect-removed 1
@sink-expect-handed 1 to=full@example.net
@sink-expect-handed 1 to=fine@example.net
@sink-expect-handed none to=gone@example.net
