# Bounces have the null sender; others have no Return-Path at all.
# mailhaul must keep the null sender, so that nothing is ever bounced to anybody, and take `from` only for those without.
@sink smtp
@sink-config from = "fetched@example.net"
@bytes-message 1 Return-Path: <>\r\nSubject: a bounce\r\n\r\n1\r\n
@bytes-message 2 Subject: no Return-Path\r\n\r\n2\r\n
@bytes-message 3 Return-Path: <s3@example.org>\r\nReturn-Path: <s4@example.org>\r\nSubject: two\r\n\r\n3\r\n
@bytes-message 4 Subject: in the body\r\n\r\nReturn-Path: <s5@example.org>\r\n
@run fetch
@sink-expect-handed 1..4
@sink-expect-talk FROM:<>.*FROM:<fetched@example\.net>.*FROM:<s3@example\.org>.*FROM:<fetched@example\.net>
@sink-never-sent s[45]@
