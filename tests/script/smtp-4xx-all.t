# 450 to every RCPT: greylisting, or a full disk over there, for more passes than a message has.
# mailhaul must wait (75) for ever and set nothing aside; then all is delivered.
@sink smtp
@config leave_on_server = "no"
@messages 1..3
@run fetch
@sink-on ^RCPT
S: 450 4.7.1 greylisted, come again
@expect-exit 75
@expect-quarantine none
@sink-expect-handed none
@run fetch
@sink-on ^RCPT
S: 450 4.7.1 greylisted, come again
@expect-exit 75
@expect-quarantine none
@sink-expect-handed none
@run fetch
@sink-on ^RCPT
S: 450 4.7.1 greylisted, come again
@expect-exit 75
@expect-quarantine none
@sink-expect-handed none
@run fetch
@sink-on ^RCPT
S: 450 4.7.1 greylisted, come again
@expect-exit 75
@expect-quarantine none
@sink-expect-handed none
@run fetch
@expect-removed 1..3
@sink-expect-handed 1..3
