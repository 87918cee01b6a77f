# COMPRESS=DEFLATE (RFC 4978) with an honest server.
# mailhaul must use it when the account says so.
@capability IMAP4rev1 COMPRESS=DEFLATE UIDPLUS AUTH=PLAIN LITERAL+
@config compress = yes
@messages 1..3 octets=20000
@run fetch
@expect-exit 0
@expect-sent COMPRESS DEFLATE
