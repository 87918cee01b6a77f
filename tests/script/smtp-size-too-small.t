# Every message is larger than the SIZE that is told, a dozen of them: nothing is ever offered.
# mailhaul must set them aside for what they are (65) rather than call the destination one that refuses everything, and
# must not drop what nobody has refused.
@sink smtp
@sink-capability PIPELINING; SIZE 5000
@sink-config on_reject = "drop"
@config leave_on_server = "no"
@messages 1..12 octets=9000
@run fetch
@expect-exit 65
@expect-quarantine 1..12
@sink-expect-handed none
@sink-never-sent ^MAIL
