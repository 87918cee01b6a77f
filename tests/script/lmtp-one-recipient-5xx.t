# Three recipients; of one message one recipient is refused behind the final dot.
# mailhaul must set that message aside (65), leave it on the server, and not send it again to the two that have it.
@sink lmtp
@sink-config to = { "a@example.net", "b@example.net", "c@example.net" }
@config leave_on_server = "no"
@sink-on ^\. 2 b@
S: 552 5.2.2 over quota
@messages 1..3
@run fetch
@expect-exit 65
@expect-removed 1 3
@expect-quarantine 2
@sink-expect-handed 1 2 3 to=a@example.net
@sink-expect-handed 1 3 to=b@example.net
@sink-expect-handed 1 2 3 to=c@example.net
@run quarantine list
@expect-stdout over quota
@sink-expect-handed any
@run fetch
@sink-expect-handed any
@sink-expect-connections 0
@run quarantine retry t
@sink-expect-handed any
@run fetch
@expect-exit 65
@sink-expect-handed 1 2 3 to=a@example.net
@sink-expect-handed 1 2 3 to=c@example.net
@sink-never-sent ^RCPT TO:<[ac]@
