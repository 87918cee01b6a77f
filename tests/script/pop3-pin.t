# A certificate that ran out in 2020, known by its fingerprint.
# mailhaul must fetch: the pin is the trust.
@listen implicit
@cert expired
@config tls_fingerprint = { "sha256:$FP" }
@messages 1..2
@run fetch
