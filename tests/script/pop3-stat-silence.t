# No answer to STAT and UIDL; the first may take 5 x timeout (a large mailbox).
# mailhaul must leave then.
@config timeout = 1
@messages 1..2
@on ^(STAT|UIDL|LIST)
@silent
@run fetch
@expect-exit 75
@expect-maildir none
@within 12
