# PIPELINING is offered, and commands that come together are thrown away but for the first.
# mailhaul must notice, go without, and have everything at the latest in the second pass.
@drop-pipelined yes
@config timeout = 1
@messages 1..6
@run fetch
@expect-exit 0|75
@expect-maildir any
@run fetch
@expect-exit 0
@expect-maildir 1..6
@within 30
