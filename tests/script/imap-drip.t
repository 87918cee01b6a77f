# A body of 4,000 octets at 40 octets a second: never silent, never done.
# mailhaul must end the exchange after 5 x timeout + 1 s for each 500 bytes.
@config timeout = 1
@messages 1..1
@fetch 1
@bytes * 1 FETCH (UID 1 BODY[] {4000}\r\n
@drip 2/50
@repeat 400 @bytes xxxxxxxx\r\n
@run fetch
@expect-exit 75
@expect-maildir none
@within 15
