# A folder that the account names without a pattern does not exist.
# mailhaul must do the other folders, then exit 78 and name the missing one.
@config folders = { "INBOX", "Nowhere", "Work" }
@folder Work
@messages 1..2
@messages 1..2 folder=Work
@run fetch
@expect-exit 78
@expect-maildir 1..2
@expect-folder .Work 1..2
@expect-stderr Nowhere
