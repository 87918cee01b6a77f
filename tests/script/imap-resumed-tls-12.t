# A server with TLS 1.2 that gives one ticket (RFC 5077) and takes it many times.
# mailhaul must go on with the session of the run before (RFC 8446 section 2.2), but not in a dry run.
@listen implicit
@tls-version 1.2
@messages 1..2
@run fetch
@expect-resumed 0
@run fetch
@expect-resumed 1
@run fetch -n
@expect-resumed 0
@run fetch
@expect-resumed 1
