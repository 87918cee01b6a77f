# Bytes that a store may trip over: bare CR and LF, NUL, 8-bit, no final newline, quotes, brackets, a literal's look.
# mailhaul must append each with CR LF for every LF and nothing else changed.
@sink imap
@bytes-message 1 Subject: no newline\r\n\r\nend
@bytes-message 2 Subject: bare\r\n\r\na\nb\rc\r\r\nd\n\r\n
@bytes-message 3 Subject: 8-bit\r\n\r\n\x00\xff\xfe\x80\r\n
@bytes-message 4 \r\nno header\r\n
@bytes-message 5 Subject: tricks\r\n\r\n{5+}\r\n) "\\" a1 LOGOUT\r\n
@bytes-message 6 x
@run fetch
@sink-expect-handed 1..6
