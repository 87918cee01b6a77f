# A server without hierarchy (separator NIL): a "." or "/" in a name is a letter like any other.
# mailhaul must fetch it into one folder.
@separator NIL
@config folders = { "*" }
@folder lists.example
@messages 1..2
@messages 1..2 folder=lists.example
@run fetch
@expect-exit 0
@expect-maildir 1..2
@expect-total 4
