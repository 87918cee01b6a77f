# [LIMIT] at login: too many logins of this user (RFC 5530; Gmail and Dovecot behave so).
# mailhaul must count it as temporary.
@messages 1..2
@on ^(LOGIN|AUTHENTICATE)
S: $tag NO [LIMIT] Too many simultaneous connections
@run fetch
@expect-exit 75
@expect-maildir none
