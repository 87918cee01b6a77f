# A destination that gives TLS tickets.
# mailhaul must go on with the session of the run before (RFC 8446 section 2.2).
@sink lmtp
@sink-listen starttls
@messages 1..2
@run fetch
@sink-expect-resumed 0
@run fetch
@messages 3..4
@sink-expect-resumed 1
