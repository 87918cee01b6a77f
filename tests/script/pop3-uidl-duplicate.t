# Two different messages with one UIDL, a third with its own (seen in the wild; getmail's FAQ).
# mailhaul must fetch all three, once.
@message 1 uidl=same
Subject: one

first of the twins
@end
@message 2 uidl=same
Subject: two

second of the twins, of another size
@end
@message 3 uidl=other
Subject: three

x
@end
@run fetch
@expect-exit 0
@run fetch
@expect-exit 0
