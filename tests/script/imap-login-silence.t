# No answer to the login.
# mailhaul must leave after the timeout.
@config timeout = 1
@messages 1..2
@on ^(LOGIN|AUTHENTICATE)
@silent
@run fetch
@expect-exit 75
@expect-maildir none
@within 8
