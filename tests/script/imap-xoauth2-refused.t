# A token that is no longer good, in IMAP, where it goes along with the command.
# mailhaul must answer the challenge, tell what was said in it, and try nothing else.
@messages 1..2
@capability IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=XOAUTH2
@config auth = { "xoauth2", "plain" }
@config password = "t0ken"
@on ^AUTHENTICATE XOAUTH2
S: + eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIn0=
@read 6
S: $tag NO [AUTHENTICATIONFAILED] no
@run fetch
@expect-exit 77
@expect-maildir none
@expect-stderr refused the login.*400
@never-sent ^(LOGIN|AUTHENTICATE PLAIN)
