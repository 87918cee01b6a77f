# An SMTP server answers on the IMAP port: a wrong port, or a cross-protocol attack (ALPACA).
# mailhaul must say so and send no password, not even inside TLS.
@listen implicit
@messages 1..2
@connection
S: 220 mail.example.org ESMTP ready
@run fetch
@expect-exit 76
@expect-maildir none
@never-sent (?i) (LOGIN|AUTHENTICATE)
