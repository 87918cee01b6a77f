# The protocol is shown at -vv, and a server echoes what it was told.
# mailhaul must not print the password.
@config password = "hunter2secret"
@messages 1..1
@capability IMAP4rev1
@run -vv fetch
@expect-exit 0
@expect-not-stderr hunter2secret
@expect-stderr LOGIN
