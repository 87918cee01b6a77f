# max_messages bounds a pass, the next goes on where it stopped.
# mailhaul must bring two, two and one.
@config max_messages = 2
@messages 1..5
@run fetch
@expect-exit 0
@expect-total 2
@expect-maildir any
@run fetch
@expect-exit 0
@expect-total 4
@expect-maildir any
@run fetch
@expect-exit 0
