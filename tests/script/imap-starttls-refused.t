# The server (or someone between) offers STARTTLS and refuses the command.
# mailhaul must not fall back to clear text.
@listen starttls
@messages 1..2
@on ^STARTTLS
S: $tag NO TLS is not available just now
@run fetch
@expect-exit 69
@expect-maildir none
