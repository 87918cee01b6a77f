# BYE in mid-session, then the server is back.
# mailhaul must lose nothing and append nothing twice.
@sink imap
@messages 1..6
@run fetch
@sink-once ^APPEND
S: * BYE shutting down
@close
@expect-exit 75|0
@sink-expect-handed any
@run fetch
@sink-expect-handed 1..6
