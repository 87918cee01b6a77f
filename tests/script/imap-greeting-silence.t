# The connection is taken and nothing is ever said.
# mailhaul must leave after the timeout, as a temporary failure.
@config timeout = 1
@messages 1..2
@connection
@silent
@connection
@silent
@run fetch
@expect-exit 75
@expect-maildir none
@within 8
