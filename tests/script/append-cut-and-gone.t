# The messages were stored, the connection is cut before the tagged OK, and the server is away for the rest of the pass.
# mailhaul must look into the folder in the next pass, from where its UIDs stood before the APPEND, and append nothing twice.
@sink imap
@sink-capability IMAP4rev1 AUTH=PLAIN LITERAL+ UIDPLUS MULTIAPPEND
@config leave_on_server = "no"
@messages 1..4
@sink-messages 1..2
@run fetch
@sink-connection
@sink-every-connection
S: * BYE not now
@close
@sink-once ^APPEND
@model quiet
@cut
@expect-exit 75
@sink-expect-handed any
@run fetch
@expect-removed 1..4
@sink-expect-handed 1..4
@sink-expect-folder INBOX 1 2 1..4
