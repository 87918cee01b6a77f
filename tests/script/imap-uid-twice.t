# The same body comes twice.
# mailhaul must deliver it once.
@messages 1..3
@fetch 2
@bytes * $seq FETCH (UID 2 BODY[] {9}\r\nA: b\r\n\r\nc)\r\n* $seq FETCH (UID 2 BODY[] {9}\r\nA: b\r\n\r\nc)\r\n
@run fetch
@expect-exit 0
@expect-maildir 1 3
@expect-message A: b\n\nc
@run fetch
@expect-exit 0
@expect-maildir 1 3
@expect-message A: b\n\nc
