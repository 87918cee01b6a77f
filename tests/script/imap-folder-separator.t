# A Courier shape: everything below INBOX, separator ".".
# mailhaul must map the server's separator, not "/", to the layout's.
@separator .
@config folders = { "INBOX", "INBOX.*" }
@folder INBOX.Sent.2024
@messages 1..2
@messages 1..2 folder=INBOX.Sent.2024
@run fetch
@expect-exit 0
@expect-maildir 1..2
@expect-total 4
