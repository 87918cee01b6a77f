# SIZE without a number; the server says 552 to MAIL for one message.
# mailhaul must take that as the refusal of this message.
@sink smtp
@sink-capability PIPELINING; SIZE
@sink-on ^MAIL FROM:<s2@\S+ SIZE=\d{4}
S: 552 5.3.4 too large for me
@messages 1..1
@messages 2..2 octets=9000
@messages 3..3
@run fetch
@expect-exit 65
@expect-quarantine 2
@sink-expect-handed 1 3
