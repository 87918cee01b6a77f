# New messages appear in the middle and at the head of the list, as some servers sort by date.
# mailhaul must compare the whole set (fetchmail's fastuidl searches and misses them).
@messages 1..4
@run fetch
@expect-exit 0
@run fetch
@messages 13..14 at=3
@messages 15 at=1
@expect-exit 0
