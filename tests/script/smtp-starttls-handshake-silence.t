# 220 to STARTTLS, and then nothing.
# mailhaul must give up after its timeout.
@sink smtp
@sink-listen starttls
@config timeout = 1
@sink-on ^STARTTLS
S: 220 2.0.0 go
@silent
@messages 1..1
@run fetch
@expect-exit 75|69
@sink-expect-handed none
