# TLS from the first byte (RFC 8314).
# mailhaul must deliver.
@sink smtp
@sink-listen implicit
@messages 1..3
@run fetch
@sink-never-sent STARTTLS
