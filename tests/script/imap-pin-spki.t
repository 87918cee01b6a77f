# The same by the public key.
# mailhaul must take it.
@listen implicit
@cert selfsigned
@config tls_fingerprint = { "spki-sha256:$SPKI" }
@messages 1..2
@run fetch
@expect-exit 0
