# The message was stored, and the connection is cut before the tagged OK.
# mailhaul must connect again, find it in the folder, and append nothing twice.
@sink imap
@sink-capability IMAP4rev1 AUTH=PLAIN LITERAL+ UIDPLUS
@config leave_on_server = "no"
@messages 1..3
@run fetch
@sink-on ^APPEND
@model quiet
@cut
@expect-removed 1..3
@sink-expect-handed 1..3
@sink-expect-folder INBOX 1..3
