# iCloud: its front-end puts XAPPLEPUSHSERVICE into the stream, and FETCH lines without BODY occur now and then.
# mailhaul must ask with BODY.PEEK[], and get the rest in the next pass.
@messages 1..3
@connection
S: * OK [CAPABILITY XAPPLEPUSHSERVICE IMAP4 IMAP4rev1 SASL-IR AUTH=PLAIN UIDPLUS] (2024) ready
@once ^UID FETCH .*BODY\.PEEK\[\]
S: * 1 FETCH (UID 1 FLAGS () INTERNALDATE "17-Jul-1996 02:44:25 -0700")
S: * 2 FETCH (UID 2 FLAGS ())
S: * XAPPLEPUSHSERVICE aps-version "2"
S: $tag OK FETCH completed
@run fetch
@expect-exit 75|0
@expect-maildir any
@run fetch
@expect-exit 0
@expect-maildir 1..3
