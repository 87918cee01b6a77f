# The body stops half way, the connection stays.
# mailhaul must leave after the timeout, with nothing of the half message.
@config timeout = 1
@messages 1..2
@fetch 2
@bytes * 2 FETCH (UID 2 BODY[] {4000}\r\nSubject: half\r\n
@silent
@run fetch
@expect-exit 75
@expect-maildir any
@within 12
