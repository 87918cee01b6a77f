# A server that never finishes a command but says "* OK" every half second: each answer is in time, the exchange has no end.
# mailhaul must end it after 5 x timeout + 1 s for each 500 bytes, as for any other drip.
@config timeout = 1
@messages 1..1
@fetch 1
@drip 100/500
@repeat 60 S: * OK still here, and that is a line of one hundred bytes or so, to be sent in one piece to you.
@run fetch
@expect-exit 75
@expect-maildir none
@expect-stderr too slow
@within 15
