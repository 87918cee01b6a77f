# BAD to the FETCH with the bodies.
# mailhaul must end with a protocol error or a temporary one, nothing recorded.
@messages 1..3
@on ^UID FETCH .*BODY\.PEEK\[\]
S: $tag BAD [CLIENTBUG] Additional arguments found
@run fetch
@expect-exit 75|76
@expect-maildir none
