# UID FETCH n:* names the last message even when it is older than n (RFC 3501 6.4.8); Exchange does so with relish.
# mailhaul must not take it for new.
@messages 1..3
@run fetch
@expect-exit 0
@run fetch
@on ^UID (FETCH|SEARCH)
@model
@expect-exit 0
@never-sent BODY\.PEEK\[\]
