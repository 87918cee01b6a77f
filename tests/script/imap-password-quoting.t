# Quotes and backslashes in a password are the client's to escape (mutt CVE-2018-14352/53).
# mailhaul must send exactly one LOGIN line with both escaped, or a literal.
@capability IMAP4rev1
@config password = 'p"a\\ s{3}'
@messages 1..2
@run fetch
@expect-exit 0
@expect-sent (^\S+ LOGIN \S+ "p\\"a\\\\ s\{3\}"$|^p"a\\ s\{3\}$)
