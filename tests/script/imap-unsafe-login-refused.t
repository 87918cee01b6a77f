# The same server, not content with anybody's ID.
# mailhaul must end with the server's words, not with a crash or an endless loop.
@messages 1..2
@on ^(SELECT|EXAMINE)
S: $tag NO SELECT Unsafe Login. Please contact kefu@188.com for help
@run fetch
@expect-exit 75|76|77|78
@expect-maildir none
@expect-stderr Unsafe Login
