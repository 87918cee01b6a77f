# UID and FLAGS come after the body in the response.
# mailhaul must wait for the end of the response before it names the message.
@messages 1..3
@fetch 2
@bytes * $seq FETCH (BODY[] {10}\r\nA: b\r\n\r\nc\n INTERNALDATE "17-Jul-1996 02:44:25 -0700" FLAGS (\\Seen) UID 2)\r\n
@run fetch
@expect-exit 0
@expect-maildir 1 3
@expect-message A: b\n\nc\n
