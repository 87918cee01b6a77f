# A certificate that no authority signed, known by its fingerprint.
# mailhaul must deliver with the pin, and only with it.
@sink smtp
@sink-listen implicit
@sink-cert selfsigned
@sink-config tls_fingerprint = { "sha256:$FP" }
@messages 1..1
@run fetch
