# Gmail: \Deleted and EXPUNGE only archive. What removes is a MOVE to the folder marked \Trash, whatever its name.
# mailhaul must move, and never expunge.
@capability IMAP4rev1 X-GM-EXT-1 UIDPLUS MOVE SPECIAL-USE AUTH=PLAIN LITERAL+ LIST-EXTENDED
@config leave_on_server = "no"
@folder [Gmail] attributes=\Noselect
@folder [Gmail]/Papierkorb attributes=\Trash
@messages 1..3
@run fetch
@expect-exit 0
@expect-maildir 1..3
@expect-removed 1..3
@expect-sent UID MOVE \S+ "?\[Gmail\]/Papierkorb
@never-sent EXPUNGE
