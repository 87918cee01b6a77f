# The connection is lost between UID EXPUNGE and its answer; the server had not done it.
# mailhaul must remove them in the next pass without fetching anything again.
@config leave_on_server = "no"
@messages 1..3
@run fetch
@on ^UID EXPUNGE
@cut
@expect-exit 75
@expect-maildir 1..3
@run fetch
@expect-exit 0
@expect-maildir 1..3
@expect-removed 1..3
@never-sent BODY\.PEEK\[\]
