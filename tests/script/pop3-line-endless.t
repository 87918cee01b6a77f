# A line without an end: 80 MB.
# mailhaul must stop at its line limit.
@messages 1..1
@on ^(STAT|UIDL)
@bytes +OK 
@repeat 1250000 @bytes AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
@silent
@run fetch
@expect-exit 75|76
@expect-maildir none
@expect-rss-below 64
@within 40
