# No UIDPLUS, but MOVE: UID EXPUNGE does not exist, a plain EXPUNGE would take what other clients marked.
# mailhaul must move to the trash folder.
@capability IMAP4rev1 MOVE SPECIAL-USE AUTH=PLAIN LITERAL+
@config leave_on_server = "no"
@folder Trash attributes=\Trash
@messages 1..3
@run fetch
@expect-exit 0
@expect-maildir 1..3
@expect-removed 1..3
@expect-sent UID MOVE
@never-sent EXPUNGE
