# 4xx for one message of many, to MAIL, for ever.
# mailhaul must try in three passes (75), then set that one aside (65); the rest is delivered in the first.
@sink smtp
@config leave_on_server = "no"
@sink-on ^MAIL FROM:<s2@
S: 451 4.3.0 not this one
@messages 1..4
@run fetch
@expect-exit 75
@expect-removed 1 3 4
@expect-quarantine none
@sink-expect-handed 1 3 4
@run fetch
@expect-exit 75
@expect-quarantine none
@sink-expect-handed 1 3 4
@run fetch
@expect-exit 65
@expect-stderr not this one
@expect-quarantine 2
@sink-expect-handed 1 3 4
@run fetch
@expect-exit 0
@sink-expect-handed 1 3 4
@sink-expect-connections 0
