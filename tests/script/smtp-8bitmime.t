# 8BITMIME is offered.
# mailhaul must say BODY=8BITMIME for the message that needs it, and not change a byte.
@sink smtp
@bytes-message 1 Return-Path: <s1@example.org>\r\nSubject: x\r\n\r\n\xe4\xf6\xfc\x80\xff\r\n
@messages 2..2
@run fetch
@sink-expect-sent ^MAIL FROM:<s1@\S+ .*BODY=8BITMIME
@sink-never-sent ^MAIL FROM:<s2@\S+ .*BODY=8BITMIME
