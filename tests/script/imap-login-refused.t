# The password is wrong.
# mailhaul must say so with the server's words, once, and not try again in this pass (addresses are blocked for less).
@messages 1..2
@capability IMAP4rev1
@on ^LOGIN
S: $tag NO [AUTHENTICATIONFAILED] Invalid credentials
@run fetch
@expect-exit 77
@expect-maildir none
@expect-connections 1
@expect-stderr Invalid credentials
@never-talk LOGIN.*LOGIN
