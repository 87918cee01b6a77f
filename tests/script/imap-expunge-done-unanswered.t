# The same, but the server had done it and only the answer was lost.
# mailhaul must see in the next listing that they are gone, and be content.
@config leave_on_server = "no"
@messages 1..3
@once ^UID EXPUNGE
@model
@cut
@run fetch
@expect-exit 75|0
@expect-maildir 1..3
@expect-removed 1..3
@run fetch
@expect-exit 0
@expect-maildir 1..3
@run fetch
@expect-exit 0
@expect-maildir 1..3
