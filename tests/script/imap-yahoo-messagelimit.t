# Yahoo: MESSAGELIMIT (RFC 9738) answers OK for a part of what was asked.
# mailhaul must ask again for the rest, now or in the next pass, and not count it as failing for good.
@capability IMAP4rev1 MESSAGELIMIT=2 UIDPLUS AUTH=PLAIN LITERAL+
@messages 1..4
@once ^UID FETCH .*BODY\.PEEK\[\]
S: * 4 FETCH (UID 4 FLAGS () BODY[] {9}\r\nA: b\r\n\r\nd)
S: * 3 FETCH (UID 3 FLAGS () BODY[] {9}\r\nA: b\r\n\r\nc)
S: $tag OK [MESSAGELIMIT 2 3] FETCH completed with 2 partial results
@run fetch
@expect-exit 0|75
@expect-maildir any
@expect-message A: b\n\nc
@expect-message A: b\n\nd
@run fetch
@expect-exit 0
@expect-maildir 1 2
@expect-message A: b\n\nc
@expect-message A: b\n\nd
