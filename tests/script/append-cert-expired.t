# The destination's certificate has expired.
# mailhaul must end with 69.
@sink imap
@sink-listen implicit
@sink-cert expired
@messages 1..1
@run fetch
@expect-exit 69
@expect-stderr destination sink.*certificate
@sink-expect-handed none
