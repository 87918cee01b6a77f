# Neither UIDPLUS nor MOVE.
# mailhaul must mark \Deleted and leave it at that, say so once, and not fetch again what it has.
@capability IMAP4rev1 AUTH=PLAIN LITERAL+
@config leave_on_server = "no"
@messages 1..3
@run fetch
@expect-exit 0
@expect-maildir 1..3
@expect-sent UID STORE \S+ \+FLAGS(\.SILENT)? \(?\\Deleted
@expect-stderr deleted|UIDPLUS|EXPUNGE
@run fetch
@expect-exit 0
@expect-maildir 1..3
@never-sent BODY\.PEEK\[\]
@expect-not-stderr .
@never-sent EXPUNGE
