# A negative literal size.
# mailhaul must refuse the response as a protocol error.
@messages 1..1
@fetch 1
@bytes * 1 FETCH (UID 1 BODY[] {-1}\r\nSubject: x\r\n\r\nx)\r\n
@run fetch
@expect-exit 75|76
@expect-maildir none
