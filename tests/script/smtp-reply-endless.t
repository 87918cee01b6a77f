# The EHLO reply never ends.
# mailhaul must give up with bounded memory, and leave the mail where it is.
@sink smtp
@sink-on ^EHLO
@repeat 2000000 S: 250-X-LINE-$i
@silent
@messages 1..2
@run fetch
@expect-exit 76|75
@expect-quarantine none
@sink-expect-handed none
@expect-rss-below 24
