# The connection is cut behind the final dot of the only message there is, in every pass; perhaps it is taken each time.
# mailhaul must not send one copy more with every pass for ever: after three it is set aside.
@sink smtp
@sink-on ^\.
@cut
@messages 1..1
@run fetch
@expect-exit 75
@sink-expect-unanswered 1
@sink-expect-handed none
@run fetch
@expect-exit 75
@expect-stderr possible duplicate
@sink-expect-unanswered 1
@sink-expect-handed none
@run fetch
@expect-exit 65
@expect-quarantine 1
@sink-expect-unanswered 1
@sink-expect-handed none
@run fetch
@expect-quarantine 1
@sink-expect-handed none
@sink-expect-connections 0
