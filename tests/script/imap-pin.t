# A self-signed certificate whose fingerprint the account names.
# mailhaul must take it: the pin is the trust.
@listen implicit
@cert selfsigned
@config tls_fingerprint = { "sha256:$FP" }
@messages 1..2
@run fetch
@expect-exit 0
