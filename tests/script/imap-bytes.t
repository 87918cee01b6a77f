# Bytes that a store may trip over: no final newline, bare CR and LF, NUL, 8-bit, no header, a lone dot, From_ lines.
# mailhaul must deliver each byte for byte, CR LF as LF.
@bytes-message 1 Subject: no newline\r\n\r\nend
@bytes-message 2 Subject: bare\r\n\r\na\nb\rc\r\r\nd\n\r\n
@bytes-message 3 Subject: nul\r\n\r\na\0b\x00\xff\xfe\x80\r\n
@bytes-message 4 \r\nno header at all\r\n
@bytes-message 5 From nobody Thu Jan  1 00:00:00 1970\r\nSubject: mbox\r\n\r\n.\r\nFrom x\r\n..\r\n
@bytes-message 6 x
@bytes-message 7 Subject: ends in CR\r\n\r\nx\r
@bytes-message 8 \r\n
@run fetch
@expect-exit 0
