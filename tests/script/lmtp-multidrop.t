# Multidrop by LMTP: each message to its own recipients, one of which is unknown.
# mailhaul must deliver to those that are known, and set aside what one of its recipients refused.
@sink lmtp
@sink-config to_header = "Delivered-To"
@sink-on ^RCPT TO:<nobody@
S: 550 5.1.1 unknown
@message 1
Delivered-To: a@example.net, b@example.net

one
@end
@message 2
Delivered-To: b@example.net, nobody@example.net

two
@end
@message 3
Delivered-To: c@example.net

three
@end
@run fetch
@expect-exit 65
@expect-quarantine 2
@sink-expect-handed 1 to=a@example.net
@sink-expect-handed 1 2 to=b@example.net
@sink-expect-handed 3 to=c@example.net
