# Two hundred thousand opening brackets in one response.
# mailhaul must not recurse on them: it skips the response or ends the session.
@messages 1..2
@once ^(SELECT|EXAMINE)
@bytes * 1 FETCH (BODYSTRUCTURE 
@repeat 200000 @bytes (
S: 
@model
@run fetch
@expect-exit 0|75|76
@expect-maildir any
@run fetch
@expect-exit 0
