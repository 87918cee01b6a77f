# 8-bit mail, and 8BITMIME is not offered.
# mailhaul must send it as it is (everybody can take it, and it must not be changed), without the parameter.
@sink smtp
@sink-capability PIPELINING; SIZE
@bytes-message 1 Return-Path: <s1@example.org>\r\nSubject: x\r\n\r\n\xe4\xf6\xfc\x80\xff\r\n
@run fetch
@sink-never-sent BODY=
