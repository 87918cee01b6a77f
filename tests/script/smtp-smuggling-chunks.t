# The same by BDAT, where nothing is stuffed (RFC 3030).
# mailhaul must announce exactly the octets that it sends, with CR LF as the only line end.
@sink smtp
@sink-capability PIPELINING; CHUNKING; SIZE
@bytes-message 1 Subject: 1\r\n\r\na\n.\nMAIL FROM:<evil@example.net>\n
@bytes-message 2 Subject: 2\r\n\r\na\r.\rMAIL FROM:<evil@example.net>\r\n
@bytes-message 3 Subject: 3\r\n\r\na\r\n.\r\r\nMAIL FROM:<evil@example.net>\r\n
@bytes-message 4 Subject: 4\r\n\r\nends in CR\r
@bytes-message 5 Subject: 5\r\n\r\nno final newline
@bytes-message 6 .\r\n.\r\n..\r\n
@bytes-message 7 x
@run fetch
@sink-expect-handed 1..7
@sink-expect-sent ^BDAT \d+( LAST)?$
@sink-never-sent ^(DATA|MAIL FROM:<evil)
