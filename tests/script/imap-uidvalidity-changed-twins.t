# The same with twins: two messages identical to the byte, and one of three gone in the rebuild.
# mailhaul must pair them one to one by count.
@messages 1..1
@messages 2..2 copy=1
@messages 3..3 copy=1
@run fetch
@expect-exit 0
@expect-maildir 1 2 3
@run fetch
@drop 1 2 3
@folder INBOX uidvalidity=777
@messages 11..11 copy=1
@messages 12..12 copy=1
@expect-exit 0
@expect-maildir 1 2 3
@run fetch
@messages 13..13 copy=1
@messages 14..14 copy=1
@expect-exit 0
@expect-maildir 1 2 3 13 14
