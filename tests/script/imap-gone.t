# A message is listed, and gone when its body is asked for.
# mailhaul must fetch the rest; when the next listing lacks it, there is nothing left to try.
@messages 1..3
@run fetch
@fetch 2
S: * 2 EXPUNGE
@expect-exit 0|75
@expect-maildir 1 3
@run fetch
@drop 2
@expect-exit 0
@expect-maildir 1 3
