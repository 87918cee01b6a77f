# A body at 40 octets a second: never silent, never done.
# mailhaul must end the exchange after 5 x timeout + 1 s for each 500 bytes.
@config timeout = 1
@messages 1..1
@on ^RETR
S: +OK
@drip 2/50
@repeat 400 @bytes xxxxxxxx\r\n
@run fetch
@expect-exit 75
@expect-maildir none
@within 15
