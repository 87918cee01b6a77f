# A line without an end: 80 MB of untagged OK text.
# mailhaul must stop at its line limit, within its memory promise.
@messages 1..1
@on ^(SELECT|EXAMINE)
@bytes * OK 
@repeat 1250000 @bytes AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
@silent
@run fetch
@expect-exit 75|76
@expect-maildir none
@expect-rss-below 64
@within 40
