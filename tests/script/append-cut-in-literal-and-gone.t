# The same, but nothing had been stored, and somebody else put another message there meanwhile.
# mailhaul must not take that one for its own.
@sink imap
@sink-capability IMAP4rev1 AUTH=PLAIN LITERAL+
@messages 1..3
@sink-messages 1..1
@run fetch
@sink-connection
@sink-every-connection
S: * BYE not now
@close
@sink-once ^LITERAL\+ APPEND
@read 30
@cut
@expect-exit 75
@sink-expect-handed none
@run fetch
@sink-message 9
Subject: INBOX 1
Message-ID: <INBOX.1@example.org>

another text
@end
@sink-expect-handed 1..3
