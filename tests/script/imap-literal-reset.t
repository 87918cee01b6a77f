# The same with a reset, and over TLS.
# mailhaul must keep nothing of the half message.
@listen implicit
@messages 1..3
@once ^UID FETCH .*BODY\.PEEK\[\]
@bytes * 2 FETCH (UID 2 BODY[] {4000}\r\nFrom: a@example.org\r\nSubject: half\r\n\r\nhalf of it
@reset
@run fetch
@expect-exit 75|0
@expect-maildir any
@run fetch
@expect-exit 0
@expect-maildir 1..3
