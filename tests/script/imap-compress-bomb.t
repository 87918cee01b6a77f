# A few kilobytes that inflate to an endless line.
# mailhaul must bound what it inflates.
@capability IMAP4rev1 COMPRESS=DEFLATE UIDPLUS AUTH=PLAIN LITERAL+
@config compress = yes
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
