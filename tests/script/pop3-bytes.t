# NUL, 8-bit, no final newline, no header, From_ lines, bare CR and LF.
# mailhaul must deliver each byte for byte, CR LF as LF. POP3 itself ends every message with CR LF.
@bytes-message 1 Subject: bare\r\n\r\na\nb\rc\r\r\nd\n\r\n
@bytes-message 2 Subject: nul\r\n\r\na\0b\x00\xff\xfe\x80\r\n
@bytes-message 3 \r\nno header at all\r\n
@bytes-message 4 From nobody Thu Jan  1 00:00:00 1970\r\nSubject: mbox\r\n\r\nFrom x\r\n\r\n
@bytes-message 5 x\r\n
@bytes-message 6 \r\n
@run fetch
@expect-exit 0
