# LOGINDISABLED and no mechanism: the server says that a login here would only give the password away (fetchmail 6.4.22).
# mailhaul must send neither name nor password.
@capability IMAP4rev1 LOGINDISABLED
@messages 1..2
@run fetch
@expect-exit 69|76|77
@expect-maildir none
@never-sent (?i) (LOGIN|AUTHENTICATE)
