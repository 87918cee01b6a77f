# The setup that most people have: POP3 to the local MTA, and the source's server knows no PIPELINING.
# mailhaul must hand on what RETR gave, dots unstuffed and stuffed anew.
@protocol pop3
@capability UIDL; USER
@sink smtp
@config leave_on_server = "no"
@message 1
Return-Path: <s1@example.org>
Subject: dots

.
..
.x
@end
@messages 2..3
@run fetch
@expect-removed 1..3
@sink-expect-handed 1..3
