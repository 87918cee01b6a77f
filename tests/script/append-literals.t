# No LITERAL+, no MULTIAPPEND, no UIDPLUS: an old server.
# mailhaul must wait for each "+" and append one message a command.
@sink imap
@sink-capability IMAP4rev1 AUTH=PLAIN
@messages 1..3
@run fetch
@sink-expect-handed 1..3
