# Half a million untagged responses before the answer to SELECT.
# mailhaul must read on in bounded memory (all are legal), or stop; the mail must not suffer.
@messages 1..2
@once ^(SELECT|EXAMINE)
@repeat 500000 S: * $i EXISTS
@model
@run fetch
@expect-exit 0|75|76
@expect-maildir any
@run fetch
@expect-exit 0
@expect-rss-below 64
@within 60
