# Plaintext behind the STARTTLS reply of the destination (CVE-2011-0411).
# mailhaul must end with 69.
@sink imap
@sink-listen starttls
@sink-on ^STARTTLS
@bytes $tag OK begin\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN LITERAL+\r\n
@tls
@messages 1..1
@run fetch
@expect-exit 69
@sink-expect-handed none
@sink-never-sent (?i) (LOGIN|AUTHENTICATE|APPEND)
