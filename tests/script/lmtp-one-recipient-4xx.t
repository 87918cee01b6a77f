# Three recipients; of one message one recipient is put off, twice.
# mailhaul must send it again to that one alone, and remove it when all three have it.
@sink lmtp
@sink-config to = { "a@example.net", "b@example.net", "c@example.net" }
@config leave_on_server = "no"
@messages 1..3
@run fetch
@sink-on ^\. 2 b@
S: 451 4.2.0 locked
@expect-exit 75
@expect-removed 1 3
@sink-expect-handed 1 2 3 to=a@example.net
@sink-expect-handed 1 3 to=b@example.net
@run fetch
@sink-on ^\. 2 b@
S: 451 4.2.0 locked
@expect-exit 75
@sink-never-sent ^RCPT TO:<[ac]@
@sink-expect-handed any
@run fetch
@expect-removed 2
@sink-never-sent ^RCPT TO:<[ac]@
@sink-expect-handed 1 2 3
