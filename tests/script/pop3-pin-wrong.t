# A good certificate, but another than the one that is named: the digest of the one kind is no digest of the other.
# mailhaul must refuse.
@listen implicit
@config tls_fingerprint = { "spki-sha256:$FP" }
@messages 1..2
@run fetch
@expect-exit 69
@expect-maildir none
@expect-stderr not the one that tls_fingerprint asks for
@never-sent .
