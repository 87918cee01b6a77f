# An honest POP3 server: the model alone. The second pass finds the same UIDLs.
# mailhaul must fetch everything once and nothing twice, and must not delete: leave_on_server is yes by default.
@messages 1..5
@run fetch
@expect-exit 0
@run fetch
@expect-exit 0
@never-sent DELE
