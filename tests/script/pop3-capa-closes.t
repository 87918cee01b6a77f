# The server drops the connection at CAPA.
# mailhaul must come through without CAPA: at once, or in the next pass.
@messages 1..2
@on ^CAPA
@cut
@run fetch
@expect-exit 0|75
@expect-maildir any
@run fetch
@expect-exit 0
@expect-maildir 1..2
