# A reply that is neither +OK nor -ERR.
# mailhaul must end the session as a protocol error.
@messages 1..2
@on ^(STAT|UIDL)
S: 250 fine
@run fetch
@expect-exit 76
@expect-maildir none
