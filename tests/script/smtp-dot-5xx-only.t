# There is one message, and it is refused for good.
# mailhaul must set it aside (65) and leave it on the server: nobody would ever see to it otherwise.
@sink smtp
@config leave_on_server = "no"
@messages 1..1
@run fetch
@sink-on ^\. \d
S: 554 5.7.1 refused
@expect-exit 65
@expect-quarantine 1
@sink-expect-handed none
@run quarantine retry t
@sink-expect-handed none
@run fetch
@expect-removed 1
@sink-expect-handed 1
