# A UIDL listing that does not end: five million lines.
# mailhaul must stop at its limit, within its memory promise.
@messages 1..2
@on ^UIDL
S: +OK
@repeat 5000000 S: $i uidl-$i
@silent
@run fetch
@expect-exit 75|76
@expect-maildir any
@expect-rss-below 64
@within 60
