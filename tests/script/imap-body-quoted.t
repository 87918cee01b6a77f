# A short body as a quoted string: legal, if rare.
# mailhaul must deliver it like a literal.
@bytes-message 1 Subject: "x"\r\n\r\n
@fetch 1
@bytes * $seq FETCH (UID 1 BODY[] "Subject: x")\r\n
@run fetch
@expect-exit 0|75
@expect-maildir none
@expect-message Subject: x
