# Plaintext put behind the STARTTLS reply, in the same segment, to be taken for an answer inside TLS (CVE-2011-0411,
# CVE-2021-22947, CVE-2020-14954, CVE-2020-15953). mailhaul must end the session: bytes ahead of the handshake are tampering.
@listen starttls
@messages 1..2
@on ^STARTTLS
@bytes $tag OK begin\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\n
@tls
@run fetch
@expect-exit 69
@expect-maildir none
@never-sent (?i) (LOGIN|AUTHENTICATE|SELECT|EXAMINE)
