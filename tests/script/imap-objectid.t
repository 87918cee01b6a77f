# OBJECTID (RFC 8474): EMAILID survives a rebuilt folder, though size and date here do not.
# mailhaul must store it and know the messages again by it.
@capability IMAP4rev1 OBJECTID UIDPLUS AUTH=PLAIN LITERAL+
@message 1 emailid=M1 date="01-Jan-2020 00:00:00 +0000"
Subject: one

1
@end
@message 2 emailid=M2 date="01-Jan-2020 00:00:00 +0000"
Subject: two

2
@end
@run fetch
@expect-exit 0
@expect-sent EMAILID
@run fetch
@drop 1 2
@folder INBOX uidvalidity=888
@messages 21..22 copy=1 emailid=M1
@expect-exit 0
@expect-maildir 1 2
