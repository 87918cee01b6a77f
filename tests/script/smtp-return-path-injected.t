# Commands hidden in Return-Path: by folding, in quotes, behind the bracket, by bare CR, by NUL, 8-bit, over-long.
# mailhaul must hand on every message, byte for byte, and no such command; what is no address is no
# sender. (Message 2 has an odd one, once it is unfolded: all of it is within quotes.)
@sink smtp
@bytes-message 1 Return-Path: <a@x.example>\r\n RCPT TO:<evil@example.net>\r\nSubject: folded\r\n\r\n1\r\n
@bytes-message 2 Return-Path: <"a\r\n RCPT TO:<evil@example.net>"@x.example>\r\nSubject: quoted\r\n\r\n2\r\n
@bytes-message 3 Return-Path: <a@x.example> BODY=EVIL SIZE=1\r\nSubject: parameters\r\n\r\n3\r\n
@bytes-message 4 Return-Path: <a@x.example>\rRCPT TO:<evil@example.net>\r\nSubject: bare CR\r\n\r\n4\r\n
@bytes-message 5 Return-Path: <a\0b@x.evil.example>\r\nSubject: NUL\r\n\r\n5\r\n
@bytes-message 6 Return-Path: <a\xe4\xff@x.evil.example>\r\nSubject: 8-bit, no UTF-8\r\n\r\n6\r\n
@bytes-message 7 Return-Path: <aevilaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@x.example>\r\nSubject: long\r\n\r\n7\r\n
@bytes-message 8 Return-Path: <a evil@x.example>\r\nSubject: blank\r\n\r\n8\r\n
@bytes-message 9 Return-Path: <a>evil@x.example>\r\nSubject: bracket\r\n\r\n9\r\n
@bytes-message 10 Return-Path: <"good one"@x.example>\r\nSubject: quoted well\r\n\r\n10\r\n
@bytes-message 11 Return-Path: <evil\n.\nMAIL FROM:<evil@example.net>\r\nSubject: LF\r\n\r\n11\r\n
@bytes-message 12 Return-Path: <"a\rRCPT TO:<evil@example.net>"@x.example>\r\nSubject: CR in quotes\r\n\r\n12\r\n
@bytes-message 13 Return-Path: <"evil\0\x07"@x.example>\r\nSubject: control characters in quotes\r\n\r\n13\r\n
@run fetch
@sink-expect-handed 1..13
@sink-never-sent ^(?!MAIL FROM:<"a RCPT TO:<evil@example\.net>"@x\.example> ).*evil
@sink-expect-sent ^MAIL FROM:<"good one"@x\.example>
@sink-never-sent ^RCPT TO:<(?!me@example\.net>)
