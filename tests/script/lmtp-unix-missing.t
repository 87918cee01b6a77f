# The Unix socket is not there: the server is not running.
# mailhaul must wait for it (75).
@sink lmtp unix
@messages 1..2
@run fetch
@sink-down yes
@expect-exit 75
@sink-expect-handed none
@run fetch
