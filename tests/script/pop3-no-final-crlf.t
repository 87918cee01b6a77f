# Exchange 2000 leaves out the CR LF before the dot: the end never comes.
# mailhaul must leave after the timeout and not take the message for whole.
@config timeout = 1
@config leave_on_server = "no"
@messages 1..1
@on ^RETR
@bytes +OK\r\nSubject: x\r\n\r\nlast line.\r\n
@silent
@run fetch
@expect-exit 75
@expect-maildir none
@within 12
