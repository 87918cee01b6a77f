# An SMTP server on the POP3 port.
# mailhaul must send no password.
@listen implicit
@messages 1..2
@connection
S: 220 mail.example.org ESMTP ready
@run fetch
@expect-exit 76
@expect-maildir none
@never-sent ^(USER|PASS|AUTH)
