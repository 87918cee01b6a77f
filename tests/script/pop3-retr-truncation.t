# TLS truncation (RFC 8446 6.1): a FIN without close_notify right where the body could end.
# mailhaul must not take the connection's end for the message's.
@listen implicit
@config leave_on_server = "no"
@messages 1..1
@on ^RETR 1
@bytes +OK\r\nSubject: half\r\n\r\nPay 100\r\n
@cut
@run fetch
@expect-exit 75|69
@expect-maildir none
