# The login is accepted, and yet the mail is said to be better had elsewhere (RFC 2221 section 4.2).
# mailhaul must neither follow nor go on.
@messages 1..2
@on ^(LOGIN|AUTHENTICATE)
S: $tag OK [REFERRAL imap://user@elsewhere.example.org/] Specified user's personal mailboxes located there
@run fetch
@expect-exit 69
@expect-maildir none
@expect-stderr refers us to another server
@never-sent ^(SELECT|EXAMINE)
