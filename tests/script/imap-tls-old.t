# A server that speaks TLS 1.0 at most (RFC 8996; mpop with GnuTLS delivers mail over it).
# mailhaul must refuse.
@listen implicit
@tls-version 1.0
@messages 1..2
@run fetch
@expect-exit 69
@expect-maildir none
@never-sent .
