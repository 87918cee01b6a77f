# Two troubles in one pass: a folder that does not exist, and then a cut connection. The exit status tells the first.
# mailhaul must tell both in words: the second is not swallowed because it ranks lower.
@config folders = { "INBOX", "Nope" }
@messages 1..2
@on ^(EXAMINE|SELECT)
@cut
@run fetch
@expect-exit 78
@expect-maildir none
@expect-stderr folder Nope does not exist
@expect-stderr closed the connection|connection was cut
