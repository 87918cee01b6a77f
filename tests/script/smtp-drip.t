# A byte a second and never silent: 5 x timeout + 1 s for each 500 bytes is the end of it.
# mailhaul must end the exchange.
@sink smtp
@config timeout = 1
@sink-on ^EHLO
@drip 1/300
@repeat 200 S: 250-X-SLOW
@messages 1..1
@run fetch
@expect-exit 75
@sink-expect-handed none
@within 30
