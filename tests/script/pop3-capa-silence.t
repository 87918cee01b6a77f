# CAPA hangs (fetchmail R11: "repoll immediately" without it).
# mailhaul must come through without CAPA: at once, or in the next pass.
@config timeout = 1
@messages 1..2
@on ^CAPA
@silent
@run fetch
@expect-exit 0|75
@expect-maildir any
@run fetch
@expect-exit 0
@expect-maildir 1..2
@within 15
