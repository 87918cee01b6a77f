# A server that makes unique-ids of Message-IDs: a second copy of a message that is here already brings the same UIDL.
# mailhaul must fetch the second, and not the first once more.
@message 1 uidl=same
Received: by the list
Subject: one

text
@end
@message 3 uidl=other
Subject: three

x
@end
@run fetch
@expect-exit 0
@run fetch
@message 2 uidl=same
Received: directly
Subject: one

text
@end
@expect-exit 0
@never-sent ^RETR 1$
@run fetch
@expect-exit 0
@never-sent ^RETR
