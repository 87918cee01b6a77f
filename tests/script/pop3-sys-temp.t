# [SYS/TEMP] at login (RFC 3206): the server's own trouble.
# mailhaul must count it as temporary.
@messages 1..2
@on ^(PASS|AUTH PLAIN)
S: -ERR [SYS/TEMP] try again
@run fetch
@expect-exit 75
@expect-maildir none
