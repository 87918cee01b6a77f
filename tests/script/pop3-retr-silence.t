# The body stops half way, the connection stays.
# mailhaul must leave after the timeout.
@config timeout = 1
@messages 1..2
@on ^RETR 2
@bytes +OK\r\nSubject: half\r\n
@silent
@run fetch
@expect-exit 75
@expect-maildir any
@within 12
