# The server is busy and says BYE at once.
# mailhaul must count it as temporary and show the server's words.
@messages 1..2
@connection
S: * BYE Too many connections, try again later
@close
@connection
S: * BYE Too many connections, try again later
@close
@run fetch
@expect-exit 75
@expect-maildir none
@expect-stderr Too many connections
