# A rebuilt folder with leave_on_server = "no": in the pass that re-identifies nothing is removed, later passes clean up.
# mailhaul must not delete by inference.
@messages 1..3
@config leave_on_server = "no"
@run fetch
@on ^UID EXPUNGE
@cut
@expect-exit 75
@expect-maildir 1..3
@run fetch
@drop 1 2 3
@folder INBOX uidvalidity=777
@messages 101..103 copy=1
@expect-exit 0
@expect-maildir 1..3
@run fetch
@expect-exit 0
@expect-maildir 1..3
@expect-removed 101..103
@never-sent BODY\.PEEK\[\]
