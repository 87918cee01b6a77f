# By a Unix socket.
# mailhaul must deliver.
@sink lmtp unix
@messages 1..5
@run fetch
