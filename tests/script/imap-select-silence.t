# No answer to SELECT; the first one may take 5 x timeout.
# mailhaul must leave then.
@config timeout = 1
@messages 1..2
@on ^(SELECT|EXAMINE)
@silent
@run fetch
@expect-exit 75
@expect-maildir none
@within 12
