# The connection is cut at EHLO,
# whenever it comes to that.
# mailhaul must leave everything on the server (75), with nothing in doubt; the next pass delivers it.
@sink smtp
@config leave_on_server = "no"
@messages 1..3
@run fetch
@sink-on ^EHLO
@cut
@expect-exit 75
@expect-not-stderr duplicate
@expect-quarantine none
@sink-expect-handed none
@run fetch
@expect-not-stderr duplicate
@expect-removed 1..3
@sink-expect-handed 1..3
