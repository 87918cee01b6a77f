# Multidrop: one of the addresses is unknown to the server.
# mailhaul must set aside the message for that one, and deliver the others.
@sink smtp
@config leave_on_server = "no"
@sink-config to_header = "Delivered-To"
@sink-on ^RCPT TO:<nobody@
S: 550 5.1.1 no such user
@message 1
Delivered-To: a@example.net

one
@end
@message 2
Delivered-To: nobody@example.net

two
@end
@message 3
Delivered-To: c@example.net

three
@end
@run fetch
@expect-exit 65
@expect-removed 1 3
@expect-quarantine 2
@sink-expect-handed 1 to=a@example.net
@sink-expect-handed none to=nobody@example.net
@sink-expect-handed 3 to=c@example.net
@run quarantine list
@expect-stdout 550 5\.1\.1 no such user
@sink-expect-handed any
