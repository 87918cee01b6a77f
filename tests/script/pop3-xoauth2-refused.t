# A token that is no longer good: the server says so in a challenge (RFC 7628 section 3.2.2), and refuses only when that was
# answered. Microsoft's POP3 wants the token in a line of its own.
# mailhaul must answer, tell what was said, and not try a password.
@messages 1..2
@capability SASL PLAIN XOAUTH2;PIPELINING;UIDL;TOP
@config auth = { "xoauth2" }
@config password = "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
@on ^AUTH XOAUTH2$
S: + 
C: dXNlcj*
S: + eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIn0=
C: AQ==
S: -ERR Authentication failure
@run fetch
@expect-exit 77
@expect-maildir none
@expect-stderr refused user .*400
@never-sent ^(USER|PASS|AUTH PLAIN)
