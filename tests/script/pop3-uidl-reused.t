# A UIDL is given to another message of another size (the server counts from one again).
# mailhaul must fetch it: the size tells.
@messages 1..2
@run fetch
@expect-exit 0
@run fetch
@drop 1
@message 11 uidl=uidl-1
Subject: another

This message is not the one that had this name before, and it is longer.
@end
@expect-exit 0
@expect-maildir 1 2 11
