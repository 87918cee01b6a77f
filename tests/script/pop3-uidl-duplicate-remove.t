# The same with leave_on_server = "no".
# mailhaul must remove only what it has retrieved in this session.
@config leave_on_server = "no"
@message 1 uidl=same
Subject: one

same size
@end
@message 2 uidl=same
Subject: two

same size
@end
@run fetch
@expect-exit 0
@expect-maildir 1..2
@expect-removed 1..2
