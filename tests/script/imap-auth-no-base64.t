# A challenge that is no base64.
# mailhaul must take the login back with "*", and end.
@messages 1..2
@capability IMAP4rev1 SASL-IR AUTH=SCRAM-SHA-256
@config auth = { "scram-sha-256" }
@on ^AUTHENTICATE SCRAM-SHA-256
S: + !!!
@read 3
S: $tag BAD cancelled
@run fetch
@expect-exit 76
@expect-maildir none
@expect-stderr no base64
