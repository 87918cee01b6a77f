# STLS is offered and refused; CAPA answers -ERR afterwards.
# mailhaul must not fall back to clear text.
@listen starttls
@messages 1..2
@on ^STLS
S: -ERR not now
@run fetch
@expect-exit 69
@expect-maildir none
