# Bytes that are no deflate stream after COMPRESS.
# mailhaul must end the session as a protocol error.
@capability IMAP4rev1 COMPRESS=DEFLATE UIDPLUS AUTH=PLAIN LITERAL+
@config compress = yes
@messages 1..2
@on ^COMPRESS
@bytes $tag OK begin\r\n
@bytes \xff\xff\xff\xff this is not deflate\r\n
@silent
@run fetch
@expect-exit 75|76
@expect-maildir none
