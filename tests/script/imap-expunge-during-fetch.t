# Another client removes messages while ours are on the way: EXPUNGE lines shift the sequence numbers (fetchmail mixes
# two messages and deletes the wrong one). mailhaul must go by UID alone.
@config leave_on_server = "no"
@messages 1..5
@once ^UID FETCH .*BODY\.PEEK\[\]
S: * 1 EXPUNGE
S: * 1 EXPUNGE
S: * 3 EXISTS
@model
@run fetch
@expect-exit 0
@expect-maildir 1..5
@expect-removed 1..5
