# After a lost QUIT another client removes message 1, and all numbers shift by one.
# mailhaul must mark by UIDL, not by the numbers of the session that died.
@config leave_on_server = "no"
@messages 1..3
@run fetch
@on ^QUIT
@cut
@expect-exit 75|0
@expect-maildir 1..3
@run fetch
@drop 1
@messages 9
@expect-exit 0
@expect-maildir 1..3 9
@expect-removed 2 3 9
