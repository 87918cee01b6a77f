# Three recipients of one message: one is refused for the time being, one for good.
# mailhaul must deliver to the one that is taken, and not send it again to that one.
@sink smtp
@config leave_on_server = "no"
@sink-config to_header = "Delivered-To"
@sink-on ^RCPT TO:<later@
S: 450 4.2.1 try again
@message 1
Delivered-To: a@example.net, later@example.net

one
@end
@messages 2..2
@message 3
Delivered-To: a@example.net

three
@end
@drop 2
@run fetch
@expect-exit 75
@expect-removed 3
@expect-quarantine none
@sink-expect-handed 1 3 to=a@example.net
@sink-expect-handed none to=later@example.net
@run fetch
@expect-exit 75
@sink-expect-handed 1 3 to=a@example.net
@sink-never-sent ^RCPT TO:<a@
