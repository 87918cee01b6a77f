# The connection is lost in the middle of a body.
# mailhaul must keep nothing of the half message; the next session or pass brings all, once.
@messages 1..3
@once ^RETR 2
@bytes +OK\r\nSubject: half\r\n\r\nhalf of
@cut
@run fetch
@expect-exit 0|75
@expect-maildir any
@run fetch
@expect-exit 0
@expect-maildir 1..3
