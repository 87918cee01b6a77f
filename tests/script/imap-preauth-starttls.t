# PREAUTH in the greeting so that STARTTLS cannot be sent any more (CVE-2021-39272, CVE-2020-14093, CVE-2020-12398, CVE-2014-2567).
# mailhaul must end the session: what is asked for is TLS.
@listen starttls
@messages 1..2
@connection
S: * PREAUTH [CAPABILITY IMAP4rev1] welcome
@connection
S: * PREAUTH [CAPABILITY IMAP4rev1] welcome
@run fetch
@expect-exit 69
@expect-maildir none
@never-clear (?i) (SELECT|EXAMINE|LIST|STATUS|LOGIN|APPEND)
