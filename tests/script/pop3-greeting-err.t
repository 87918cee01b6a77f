# The server refuses at the greeting with a temporary code (RFC 3206).
# mailhaul must count it as temporary and show the words.
@messages 1..2
@connection
S: -ERR [SYS/TEMP] down for maintenance
@close
@connection
S: -ERR [SYS/TEMP] down for maintenance
@close
@run fetch
@expect-exit 75
@expect-maildir none
@expect-stderr maintenance
