# BYE in the middle of a FETCH, after one whole message.
# mailhaul must keep what was complete or fetch it again, and have everything once after the next pass.
@messages 1..4
@once ^UID FETCH .*BODY\.PEEK\[\]
@bytes * 1 FETCH (UID 1 FLAGS () BODY[] {9}\r\nA: b\r\n\r\nc)\r\n
S: * BYE shutting down
@close
@run fetch
@expect-exit 75|0
@expect-maildir any
@expect-message A: b\n\nc
@run fetch
@expect-exit 0
@expect-maildir 2..4
@expect-message A: b\n\nc
