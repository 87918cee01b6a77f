# AUTH PLAIN is refused with its initial response but USER and PASS work.
# mailhaul must log in one way or another, in one connection or the next.
@messages 1..2
@on ^AUTH
S: -ERR malformed
@run fetch
@expect-exit 0|77
@expect-maildir any
