# Much that real servers do without meaning harm: lower case, doubled spaces, codes without text, unknown responses,
# trailing spaces, untagged lines out of nowhere. mailhaul must fetch as if nothing had happened.
@messages 1..3
@once ^(SELECT|EXAMINE)
S: * ok [HIGHESTMODSEQ 715194045007]
S: * OK [X-WHATEVER (a "b" c d)] 
S: * 0 recent
S: * FLAGS ()
S: * ESEARCH (TAG "zz") UID
S: * XYZZY plugh
S: * CAPABILITY IMAP4rev1 UIDPLUS LITERAL+ 
@model
@once ^UID FETCH .*BODY\.PEEK\[\]
S: * 2 fetch (uid 2 flags (\seen) modseq (12) x-gm-labels ("\\Inbox") body[] {9}\r\nA: b\r\n\r\nc)
S: * OK still here
S: * 1 FETCH (UID 1 FLAGS (\Recent) BODY[] {9}\r\nA: b\r\n\r\nd)
S: * 3 FETCH (UID 3 FLAGS (\Seen))
S: * 3 FETCH (UID 3 BODY[] {9}\r\nA: b\r\n\r\nf)
S: $tag ok done
@run fetch
@expect-exit 0
@expect-maildir none
@expect-message A: b\n\nc
@expect-message A: b\n\nd
@expect-message A: b\n\nf
