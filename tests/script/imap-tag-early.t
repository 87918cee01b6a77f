# OK for every tag that a client could use next, sent with the greeting (net-imap CVE-2026-42246).
# mailhaul must not take an answer to a command that it has not sent.
@messages 1..2
@connection
S: * OK [CAPABILITY IMAP4rev1] ready
@repeat 9 S: a$i OK done
@repeat 9 S: A$i OK done
@repeat 9 S: A000$i OK done
@repeat 9 S: a00$i OK done
@repeat 9 S: $i OK done
@run fetch
@expect-exit 76
@expect-maildir none
