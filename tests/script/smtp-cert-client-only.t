# The destination's certificate is wrong: client-only.
# mailhaul must end the session with 69 before a byte of mail is sent, and leave everything on the server.
@sink smtp
@sink-listen starttls
@sink-cert client-only
@config leave_on_server = "no"
@messages 1..2
@run fetch
@expect-exit 69
@expect-stderr destination sink.*not one for servers.*tls_fingerprint = \{ "sha256:
@expect-quarantine none
@sink-expect-handed none
@sink-never-sent ^(MAIL|RCPT|AUTH)
