# The same without UIDPLUS, and twins: a message of the same Message-ID and bytes was in the folder long before.
# mailhaul must look only behind the UIDNEXT that it noted, and not take the old one for what it just appended.
@sink imap
@sink-capability IMAP4rev1 AUTH=PLAIN LITERAL+
@messages 1..2
@sink-messages 1..2
@run fetch
@sink-on ^LITERAL\+ APPEND
@read 30
@cut
@expect-exit 75
@sink-expect-handed none
@run fetch
@sink-expect-handed 1..2
@sink-expect-folder INBOX 1 1 2 2
