# CHUNKING, and the recipient of one message is refused.
# mailhaul must not leave a chunk behind that goes to the next message.
@sink smtp
@sink-capability PIPELINING; CHUNKING
@sink-config to_header = "Delivered-To"
@sink-on ^RCPT TO:<nobody@
S: 550 5.1.1 unknown
@message 1
Delivered-To: nobody@example.net

one
@end
@message 2
Delivered-To: a@example.net

two
@end
@message 3
Delivered-To: nobody@example.net

three
@end
@message 4
Delivered-To: a@example.net

four
@end
@run fetch
@expect-exit 65
@expect-quarantine 1 3
@sink-expect-handed 2 4 to=a@example.net
