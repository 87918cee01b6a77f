# A man in the middle takes STLS out of CAPA, or CAPA away (fetchmail CVE-2006-5867, curl CVE-2021-22946).
# mailhaul must end the session without a name or a password in clear.
@listen starttls
@messages 1..2
@on ^CAPA
S: +OK
S: TOP
S: UIDL
S: USER
S: .
@on ^STLS
S: -ERR unknown command
@run fetch
@expect-exit 69
@expect-maildir none
@expect-stderr STLS|STARTTLS
