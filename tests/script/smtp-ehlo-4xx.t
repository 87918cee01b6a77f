# 451 to EHLO: busy.
# mailhaul must try in a later pass (75), with everything.
@sink smtp
@config leave_on_server = "no"
@messages 1..2
@run fetch
@sink-on ^(EHLO|HELO)
S: 451 4.3.0 later
@expect-exit 75
@expect-quarantine none
@sink-expect-handed none
@sink-never-sent ^MAIL
@run fetch
@expect-removed 1..2
@sink-expect-handed 1..2
