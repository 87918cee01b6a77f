# Shell words, line breaks and NUL where the environment takes its values from.
# mailhaul must pass on checked addresses alone, and no shell must see them.
@sink command
@bytes-message 1 Return-Path: <$(touch evil)@x.example>\r\nDelivered-To: `touch evil`@x\r\nSubject: 1\r\n\r\n1\r\n
@bytes-message 2 Return-Path: <a@x\r\n EVIL=1>\r\nDelivered-To: a\0b@x\r\nSubject: 2\r\n\r\n2\r\n
@run fetch
@sink-expect-handed 1..2
@sink-expect-env 2 ^MAILHAUL_SENDER=(?!.*EVIL)
