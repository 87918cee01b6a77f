# The connection is cut in the middle of a body; the next pass goes well.
# mailhaul must keep nothing of the half message and everything that was complete.
@messages 1..3
@once ^UID FETCH .*BODY\.PEEK\[\]
@bytes * 2 FETCH (UID 2 BODY[] {4000}\r\nFrom: a@example.org\r\nSubject: half\r\n\r\nhalf of it
@cut
@run fetch
@expect-exit 75|0
@expect-maildir any
@run fetch
@expect-exit 0
@expect-maildir 1..3
