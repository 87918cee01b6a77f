# A program that reads nothing and says 0, and one message that is larger than a pipe holds.
# mailhaul must believe the exit status and not hang or die of SIGPIPE.
@sink command
@sink-config command = { "/bin/true" }
@messages 1..1
@messages 2..2 octets=500000
@run fetch
@expect-exit 0
@sink-expect-handed none
@run fetch
@sink-expect-handed none
@never-sent BODY\.PEEK\[\]
