# A server that gives TLS tickets, and whose certificate is known by its key.
# mailhaul must go on with the session of the run before (RFC 8446 section 2.2), but not in a dry run.
@listen implicit
@cert selfsigned
@config tls_fingerprint = { "spki-sha256:$SPKI" }
@messages 1..2
@run fetch
@expect-resumed 0
@run fetch
@expect-resumed 1
@run fetch -n
@expect-resumed 0
@run fetch
@expect-resumed 1
