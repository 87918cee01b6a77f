# PIPELINING is offered, and commands that come together are thrown away but for the first.
# mailhaul must notice, go without, and have everything delivered at the latest in the second pass, nothing twice.
@sink smtp
@sink-drop-pipelined yes
@config timeout = 1
@messages 1..4
@run fetch
@expect-exit 0|75
@expect-quarantine none
@sink-expect-handed any
@run fetch
@expect-exit 0
@sink-expect-handed 1..4
@within 40
