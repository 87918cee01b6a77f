# Addresses outside ASCII, and SMTPUTF8 is offered (RFC 6531).
# mailhaul must say SMTPUTF8 for that message and not for another, and hand the address over as it is.
@sink smtp
@bytes-message 1 Return-Path: <j\xc3\xbcrgen@example.org>\r\nSubject: x\r\n\r\nx\r\n
@messages 2..2
@run fetch
@sink-expect-sent ^MAIL FROM:<j\xc3\xbcrgen@example\.org> .*SMTPUTF8
@sink-never-sent ^MAIL FROM:<s2@.*SMTPUTF8
