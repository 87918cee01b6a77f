# A valid certificate from a trusted authority that is not the pinned one.
# mailhaul must refuse.
@listen implicit
@config tls_fingerprint = { "sha256:0000000000000000000000000000000000000000000000000000000000000000" }
@messages 1..2
@run fetch
@expect-exit 69
@expect-maildir none
@never-sent .
