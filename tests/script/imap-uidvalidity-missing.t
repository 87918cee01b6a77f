# A folder without UIDVALIDITY: UIDs mean nothing there.
# mailhaul must leave it alone as a protocol error of that folder, and do the others.
@config folders = { "*" }
@folder INBOX uidvalidity=none
@folder Work
@messages 1..2
@messages 1..2 folder=Work
@run fetch
@expect-exit 76
@expect-maildir none
@expect-folder .Work 1..2
