# A FETCH response with a body but without UID.
# mailhaul must drop it: whose body it is nobody said.
@messages 1..2
@fetch 2
@bytes * $seq FETCH (BODY[] {9}\r\nA: b\r\n\r\nc)\r\n
@run fetch
@expect-exit 75
@expect-maildir 1
