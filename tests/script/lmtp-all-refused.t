# Every recipient of every message is refused behind the dot.
# mailhaul must stop with 76 and set nothing aside.
@sink lmtp
@sink-config to = { "a@example.net", "b@example.net" }
@config leave_on_server = "no"
@messages 1..4
@run fetch
@sink-on ^\. \d
S: 550 5.7.1 disabled
@expect-exit 76
@expect-quarantine none
@sink-expect-handed none
@run fetch
@expect-removed 1..4
@sink-expect-handed 1..4
