# A certificate that no authority signed, known by the digest of its key.
# mailhaul must deliver.
@sink smtp
@sink-listen starttls
@sink-cert selfsigned
@sink-config tls_fingerprint = { "spki-sha256:$SPKI" }
@messages 1..1
@run fetch
