# A man in the middle takes STARTTLS out of the capability list (CVE-2016-0772, CVE-2021-22946, CVE-2021-38502).
# mailhaul must end the session without a name or a password in clear.
@listen starttls
@capability IMAP4rev1 AUTH=PLAIN SASL-IR
@on ^STARTTLS
S: $tag BAD unknown command
@connection
S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] ready
@connection
S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] ready
@messages 1..2
@on ^CAPABILITY
S: * CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR
S: $tag OK done
@run fetch
@expect-exit 69
@expect-maildir none
@expect-stderr STARTTLS
