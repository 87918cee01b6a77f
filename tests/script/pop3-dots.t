# Dot-stuffing, and what looks like an end but is none: a dot between bare LFs, a bare CR (mpop and fetchmail truncate).
# mailhaul must end a message at CR LF dot CR LF alone.
@bytes-message 1 Subject: dots\r\n\r\n.\r\n..\r\n...\r\n.x\r\nend\r\n
@bytes-message 2 Subject: bare\r\n\r\na\n.\nb\r.\rc\r\n
@bytes-message 3 .Subject: dot first\r\n\r\nx\r\n
@bytes-message 4 Subject: mixed\r\n\r\na\n.\r\nb\r\n
@run fetch
@expect-exit 0
