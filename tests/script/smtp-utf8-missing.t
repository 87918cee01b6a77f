# Addresses outside ASCII, and SMTPUTF8 is not offered.
# mailhaul must send with the null sender when it is the sender's, and set the message aside when it is the recipient's.
@sink smtp
@sink-capability PIPELINING; 8BITMIME
@sink-config to_header = "Delivered-To"
@bytes-message 1 Return-Path: <j\xc3\xbcrgen@example.org>\r\nDelivered-To: a@example.net\r\n\r\nx\r\n
@bytes-message 2 Return-Path: <s2@example.org>\r\nDelivered-To: j\xc3\xbcrgen@example.net\r\n\r\nx\r\n
@bytes-message 3 Return-Path: <s3@example.org>\r\nDelivered-To: a@example.net\r\n\r\nx\r\n
@run fetch
@expect-exit 65
@expect-quarantine 2
@sink-expect-handed 1 3
@sink-expect-sent ^MAIL FROM:<>
@sink-never-sent [^\x00-\x7f]
