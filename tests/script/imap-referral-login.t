# The server, or somebody in between, sends the login elsewhere (RFC 2221); a client that goes there takes the password along.
# mailhaul must not follow, and must say why it ends.
@messages 1..2
@on ^(LOGIN|AUTHENTICATE)
S: $tag NO [REFERRAL imap://user@elsewhere.example.org/] Specified user is invalid on this server
@run fetch
@expect-exit 69
@expect-maildir none
@expect-connections 1
@expect-stderr refers us to another server
