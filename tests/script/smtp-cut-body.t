# The connection is cut in mid-message (of one that is too large to be on its way whole),
# whenever it comes to that.
# mailhaul must leave everything on the server (75), with nothing in doubt; the next pass delivers it.
@sink smtp
@config leave_on_server = "no"
@messages 1..3 octets=9000000
@run fetch
@sink-on ^DATA
S: 354 go on
@read 20
@reset
@expect-exit 75
@expect-not-stderr duplicate
@expect-quarantine none
@sink-expect-handed none
@run fetch
@expect-not-stderr duplicate
@expect-removed 1..3
@sink-expect-handed 1..3
