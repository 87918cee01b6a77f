# FETCH answered OK without a body (iCloud, Exchange: "Retrieval using the IMAP4 protocol failed").
# mailhaul must fetch the rest, try three passes, then set the message aside and leave it on the server.
@config leave_on_server = "no"
@messages 1..3
@fetch 2
S: * $seq FETCH (UID 2 FLAGS ())
@run fetch
@expect-exit 75
@expect-maildir 1 3
@expect-removed 1 3
@run fetch
@expect-exit 75
@expect-maildir 1 3
@run fetch
@expect-exit 65
@expect-maildir 1 3
@run fetch
@expect-exit 0
@expect-maildir 1 3
@run -n fetch
@expect-exit 0
@expect-maildir 1 3
@run quarantine retry t
@expect-exit 0
@expect-maildir 1 3
@run fetch
@expect-exit 75
@expect-maildir 1 3
