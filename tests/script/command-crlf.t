# newline = "crlf", and bytes that may be hard: NUL, a bare CR, no final newline.
# mailhaul must give the message as it was on the wire.
@sink command
@sink-config newline = "crlf"
@bytes-message 1 Subject: one\r\n\r\nno newline
@bytes-message 2 Subject: two\r\n\r\na\0b\rc\r\n
@messages 3..3
@run fetch
@sink-expect-handed 1..3
@sink-expect-env 1 ^MAILHAUL_SIZE=26$
