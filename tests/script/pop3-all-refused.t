# A server in trouble that answers every RETR with a plain -ERR, for three passes.
# mailhaul must not set the whole mailbox aside for it: it stops after ten, and brings what was tried less than three
# times when the server is well.
@messages 1..14
@run fetch
@on ^RETR
S: -ERR cannot open the message
@expect-exit 75
@expect-maildir none
@expect-stderr one message after the other
@run fetch
@on ^RETR
S: -ERR cannot open the message
@expect-exit 75
@expect-maildir none
@run fetch
@on ^RETR
S: -ERR cannot open the message
@expect-exit 75
@expect-maildir none
@run fetch
@expect-maildir any
@expect-total 8
@run quarantine retry t
@expect-maildir any
@run fetch
@expect-maildir 1..14
