# The connection is cut in mid-literal: nothing was stored.
# mailhaul must look into the folder in the next pass, not find it, and append it: nothing twice, nothing lost.
@sink imap
@sink-capability IMAP4rev1 AUTH=PLAIN LITERAL+ UIDPLUS
@config leave_on_server = "no"
@messages 1..3
@run fetch
@sink-on ^LITERAL\+ APPEND
@read 30
@cut
@expect-exit 75
@expect-quarantine none
@sink-expect-handed none
@run fetch
@expect-removed 1..3
@sink-expect-handed 1..3
