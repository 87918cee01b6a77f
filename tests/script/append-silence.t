# The server is silent behind an APPEND, which may take 10 x timeout; the message was stored.
# mailhaul must give up then, look into the folder on a new connection, and not append it again.
@sink imap
@config timeout = 1
@sink-capability IMAP4rev1 AUTH=PLAIN LITERAL+ UIDPLUS
@messages 1..1
@run fetch
@sink-on ^APPEND
@model quiet
@silent
@sink-expect-handed 1
@within 45
