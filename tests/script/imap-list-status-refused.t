# LIST-STATUS is offered and refused.
# mailhaul must fall back to plain LIST and STATUS or SELECT.
@config folders = { "*" }
@folder Work
@messages 1..2
@messages 1..2 folder=Work
@on ^LIST.*RETURN
S: $tag BAD syntax error
@run fetch
@expect-exit 0
@expect-maildir 1..2
@expect-folder .Work 1..2
