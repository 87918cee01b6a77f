# TLS 1.2 is good enough by default ...
# mailhaul must fetch.
@listen implicit
@tls-version 1.2
@messages 1..2
@run fetch
@expect-exit 0
