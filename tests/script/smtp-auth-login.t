# Only LOGIN, which old servers know.
# mailhaul must take it, a line at a time.
@sink smtp
@sink-capability PIPELINING; AUTH=LOGIN
@sink-config user = "user"
@sink-config password = "secret"
@messages 1..2
@run fetch
@sink-expect-sent ^AUTH LOGIN
