# A POP3 server answers on the IMAP port.
# mailhaul must send no password.
@messages 1..2
@connection
S: +OK POP3 ready <1.2@example.org>
@run fetch
@expect-exit 76
@expect-maildir none
@never-sent (?i) (LOGIN|AUTHENTICATE)
