# A server that speaks TLS 1.1 at most (RFC 8996).
# mailhaul must refuse, and say why.
@sink smtp
@sink-listen starttls
@sink-tls-version 1.1
@messages 1..2
@run fetch
@expect-exit 69
@expect-maildir none
@expect-stderr no version of TLS that is allowed here
@sink-expect-handed none
@sink-never-sent ^(MAIL|RCPT|AUTH)
