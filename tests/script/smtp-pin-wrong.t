# A good certificate, but another than the one that is named: the digest of the one kind is no digest of the other.
# mailhaul must refuse.
@sink smtp
@sink-listen implicit
@sink-config tls_fingerprint = { "sha256:$SPKI" }
@messages 1..2
@run fetch
@expect-exit 69
@expect-maildir none
@expect-stderr not the one that tls_fingerprint asks for
@sink-expect-handed none
@sink-never-sent ^(MAIL|RCPT|AUTH)
