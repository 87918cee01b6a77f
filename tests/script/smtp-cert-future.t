# The destination's certificate is wrong: future.
# mailhaul must end the session with 69 before a byte of mail is sent, and leave everything on the server.
@sink smtp
@sink-listen starttls
@sink-cert future
@config leave_on_server = "no"
@messages 1..2
@run fetch
@expect-exit 69
@expect-stderr destination sink.*is not valid before 2048-01-01.*tls_fingerprint = \{ "sha256:
@expect-quarantine none
@sink-expect-handed none
@sink-never-sent ^(MAIL|RCPT|AUTH)
