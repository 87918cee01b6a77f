# A Maildir and an MTA; the MTA refuses one message for good.
# mailhaul must have all in the Maildir, set the one aside for the MTA, and keep it on the server.
@sink smtp
@maildir yes
@config leave_on_server = "no"
@sink-on ^\. 2\b
S: 550 5.7.1 no
@messages 1..3
@run fetch
@expect-exit 65
@expect-maildir 1..3
@expect-removed 1 3
@expect-quarantine 2
@sink-expect-handed 1 3
@run fetch
@expect-maildir 1..3
@sink-expect-handed 1 3
