# The greeting itself is a referral (RFC 2221 section 4.3).
# mailhaul must end with the reason, and send nothing.
@messages 1..2
@connection
S: * BYE [REFERRAL imap://elsewhere.example.org/] Server not accepting connections
@close
@run fetch
@expect-exit 69
@expect-maildir none
@expect-stderr refers us to another server
@never-sent .
