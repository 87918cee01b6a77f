# The certificate is one for clients.
# mailhaul must not log in.
@listen implicit
@cert client-only
@messages 1..2
@run fetch
@expect-exit 69
@expect-maildir none
@expect-stderr not one for servers
@never-sent .
