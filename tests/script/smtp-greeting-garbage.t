# Another service at the port: an SSH server's first line.
# mailhaul must say so and stop with 76.
@sink smtp
@messages 1..1
@sink-every-connection
S: SSH-2.0-OpenSSH_9.2
@run fetch
@expect-exit 76
@expect-quarantine none
@sink-expect-handed none
@sink-never-sent .
