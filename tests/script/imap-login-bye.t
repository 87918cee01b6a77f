# BYE in place of an answer to the login.
# mailhaul must count it as temporary.
@messages 1..2
@on ^(LOGIN|AUTHENTICATE)
S: * BYE Session expired, please login again
@close
@run fetch
@expect-exit 75
@expect-maildir none
