# [INUSE] at login (RFC 5530).
# mailhaul must count it as temporary.
@messages 1..2
@on ^(LOGIN|AUTHENTICATE)
S: $tag NO [INUSE] Mailbox is locked by another session
@run fetch
@expect-exit 75
@expect-maildir none
