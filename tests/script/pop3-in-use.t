# The mailbox is locked by another session ([IN-USE], RFC 2449; Dovecot, and cut sessions for ten minutes).
# mailhaul must count it as temporary.
@messages 1..2
@on ^(PASS|AUTH PLAIN)
S: -ERR [IN-USE] mailbox in use
@run fetch
@expect-exit 75
@expect-maildir none
