# A body for a UID that was never asked for, between those that were (RFC 3501 5.2; NO STARTTLS tampering).
# mailhaul must drain and drop it.
@messages 1..3
@fetch 2
@bytes * 7 FETCH (UID 4711 FLAGS () BODY[] {13}\r\nEvil: y\r\n\r\nhi)\r\n* $seq FETCH (UID 2 FLAGS () BODY[] {9}\r\nA: b\r\n\r\nc)\r\n
@run fetch
@expect-exit 0
@expect-maildir 1 3
@expect-message A: b\n\nc
