# A line that never ends, behind the final dot.
# mailhaul must give up with bounded memory; the message is in doubt.
@sink smtp
@messages 1..1
@run fetch
@sink-on ^\. 
@bytes 250 
@repeat 3000000 @bytes xxxxxxxxxx
@silent
@expect-exit 76|75
@sink-expect-handed any
@expect-rss-below 24
@run fetch
@expect-stderr possible duplicate
@sink-expect-handed 1 1
