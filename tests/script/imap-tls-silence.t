# The port is open, the TLS handshake never happens (mpop 1.4.18 hangs for ever).
# mailhaul must leave after the timeout.
@config timeout = 1
@config tls = "implicit"
@messages 1..2
@connection
@silent
@connection
@silent
@run fetch
@expect-exit 75
@expect-maildir none
@within 8
