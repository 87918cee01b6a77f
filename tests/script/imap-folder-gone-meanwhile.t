# A folder that fits a pattern is gone between LIST and EXAMINE; one that is named is another matter.
# mailhaul must do the others and call it no error, but for the named one.
@config folders = { "INBOX", "Work*" }
@folder INBOX
@folder Work
@messages 1..2
@messages 1..2 folder=Work
@on ^EXAMINE "Work"
S: $tag NO [NONEXISTENT] gone
@run fetch
@expect-exit 0
@expect-maildir 1..2
