# The destination accepts the connection and says nothing.
# mailhaul must give up after its timeout and leave the mail where it is.
@sink smtp
@config timeout = 1
@messages 1..2
@run fetch
@sink-every-connection
@silent
@expect-exit 75
@expect-stderr destination sink
@sink-expect-handed none
@run fetch
