# PREAUTH on a connection that was asked to be in clear (a tunnel, for instance): the session is authenticated.
# mailhaul must not log in, and fetch.
@messages 1..3
@connection
S: * PREAUTH [CAPABILITY IMAP4rev1 UIDPLUS] welcome
@run fetch
@expect-exit 0
@never-sent (?i) (LOGIN|AUTHENTICATE)
