# A Maildir and an MTA that is down for two passes.
# mailhaul must have each message in the Maildir once, hand all on when the MTA is back, and only then remove them.
@sink smtp
@maildir yes
@config leave_on_server = "no"
@messages 1..3
@run fetch
@sink-down yes
@expect-exit 75
@expect-maildir 1..3
@sink-expect-handed none
@run fetch
@sink-down yes
@messages 4..4
@expect-exit 75
@expect-maildir 1..4
@sink-expect-handed none
@never-sent BODY\.PEEK\[\] .*1:
@run fetch
@expect-maildir 1..4
@expect-removed 1..4
@sink-expect-handed 1..4
