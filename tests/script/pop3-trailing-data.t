# Bytes behind the final dot that nobody asked for: one of the replies is not the one it seems (mpop and fetchmail lose mail).
# mailhaul must distrust the message: not recorded, not removed.
@config leave_on_server = "no"
@messages 1..1
@capability TOP;UIDL;USER
@on ^RETR 1
@bytes +OK\r\nSubject: x\r\n\r\nshort\r\n.\r\nmore text that belonged to it\r\n.\r\n
@run fetch
@expect-exit 75|76
@expect-maildir none
