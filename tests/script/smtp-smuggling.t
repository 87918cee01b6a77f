# Bytes that one server takes for the end of a message and another does not (CVE-2023-51764, -51765, -51766): LF dot LF,
# CR dot CR, LF dot CR LF, CR LF dot CR; NUL; a CR at the end; no final newline; dots everywhere.
# mailhaul must send CR LF as the only line end, stuff every dot at a line's beginning, and deliver each as one message.
@sink smtp
@bytes-message 1 Subject: 1\r\n\r\na\n.\nMAIL FROM:<evil@example.net>\n
@bytes-message 2 Subject: 2\r\n\r\na\r.\rMAIL FROM:<evil@example.net>\r\n
@bytes-message 3 Subject: 3\r\n\r\na\n.\r\nMAIL FROM:<evil@example.net>\r\n
@bytes-message 4 Subject: 4\r\n\r\na\r\n.\rMAIL FROM:<evil@example.net>\r\n
@bytes-message 5 Subject: 5\r\n\r\na\r\n.\r\r\nMAIL FROM:<evil@example.net>\r\n
@bytes-message 6 Subject: 6\r\n\r\na\r\n\0.\r\nMAIL FROM:<evil@example.net>\r\n
@bytes-message 7 Subject: 7\r\n\r\nends in CR\r
@bytes-message 8 Subject: 8\r\n\r\nno final newline
@bytes-message 9 Subject: 9\r\n\r\n.
@bytes-message 10 .\r\n.\r\n..\r\n
@bytes-message 11 Subject: 11\r\n
@bytes-message 12 \r\n.\r\n
@bytes-message 13 x
@bytes-message 14 Subject: 14\n\nonly LF\n.\n
@run fetch
@sink-expect-handed 1..14
@sink-never-sent evil
