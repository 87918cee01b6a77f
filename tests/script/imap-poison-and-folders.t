# A message of INBOX that ends every session that asks for it; other folders stand behind INBOX.
# mailhaul must bring everything else in the second pass, and set the one aside after its third try.
@config folders = { "*" }
@folder INBOX
@folder Work
@messages 101..102
@messages 1..2 folder=Work
@on ^UID FETCH (101|101:102) .*BODY\.PEEK\[\]
@cut
@run fetch
@expect-exit 75
@expect-maildir none
@run fetch
@expect-exit 75
@expect-maildir 102
@expect-folder .Work 1..2
@run fetch
@expect-exit 65|75
@expect-maildir 102
@expect-folder .Work 1..2
@run fetch
@expect-exit 0
@expect-maildir 102
@expect-folder .Work 1..2
