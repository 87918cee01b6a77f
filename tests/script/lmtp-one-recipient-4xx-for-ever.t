# One of two recipients is put off for ever.
# mailhaul must set the message aside after three passes; the other recipient has it once.
@sink lmtp
@sink-config to = { "a@example.net", "b@example.net" }
@sink-on ^\. 2 b@
S: 451 4.2.0 locked
@messages 1..3
@run fetch
@expect-exit 75
@sink-expect-handed 1 2 3 to=a@example.net
@run fetch
@expect-exit 75
@sink-expect-handed 1 2 3 to=a@example.net
@run fetch
@expect-exit 65
@expect-quarantine 2
@sink-expect-handed 1 2 3 to=a@example.net
@sink-expect-handed 1 3 to=b@example.net
