# Plaintext behind the STLS reply, in the same segment (CVE-2021-22947).
# mailhaul must end the session.
@listen starttls
@messages 1..2
@on ^STLS
@bytes +OK begin\r\n+OK\r\nUIDL\r\nUSER\r\n.\r\n
@tls
@run fetch
@expect-exit 69
@expect-maildir none
@never-sent ^(USER|PASS|AUTH)
