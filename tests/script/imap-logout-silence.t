# No answer to LOGOUT.
# mailhaul has its mail: it must not wait long, nor call it a failure.
@config timeout = 1
@messages 1..2
@on ^LOGOUT
@silent
@run fetch
@expect-exit 0
@within 8
