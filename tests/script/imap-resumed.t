# A server that gives TLS tickets.
# mailhaul must go on with the session of the run before (RFC 8446 section 2.2), but not in a dry run.
@listen implicit
@messages 1..2
@run fetch
@expect-resumed 0
@run fetch
@expect-resumed 1
@run fetch -n
@expect-resumed 0
@run fetch
@expect-resumed 1
