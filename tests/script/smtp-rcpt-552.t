# 552 to RCPT is "too many recipients" of old servers and counts as 452 (RFC 5321 4.5.3.1.10).
# mailhaul must put the message off, not aside.
@sink smtp
@messages 1..2
@run fetch
@sink-on ^RCPT
S: 552 too many
@expect-exit 75
@expect-quarantine none
@sink-expect-handed none
@run fetch
