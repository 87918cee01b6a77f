# A tagged OK for a tag that was never sent, to be taken for the answer of the command now in flight.
# mailhaul must end the session as a protocol error.
@messages 1..2
@on ^(LOGIN|AUTHENTICATE)
S: zz99 OK logged in
S: $tag OK logged in
@run fetch
@expect-exit 76
@expect-maildir none
