# Plaintext behind the reply to STARTTLS, in the same segment, to be taken for answers inside TLS (CVE-2011-0411 and its
# like on the client's side). mailhaul must end the session with 69.
@sink smtp
@sink-listen starttls
@sink-on ^STARTTLS
@bytes 220 2.0.0 go\r\n250-evil\r\n250 AUTH PLAIN\r\n
@tls
@messages 1..2
@run fetch
@expect-exit 69
@sink-expect-handed none
@sink-never-sent ^(AUTH|MAIL|RCPT)
