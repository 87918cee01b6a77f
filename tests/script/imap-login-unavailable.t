# [UNAVAILABLE] at login: the server's own trouble, not a wrong password.
# mailhaul must count it as temporary.
@messages 1..2
@on ^(LOGIN|AUTHENTICATE)
S: $tag NO [UNAVAILABLE] Temporary authentication failure
@run fetch
@expect-exit 75
@expect-maildir none
