# The server closes after the login without a word.
# mailhaul must count it as temporary.
@messages 1..2
@on ^(STAT|UIDL|LIST)
@cut
@run fetch
@expect-exit 75
@expect-maildir none
