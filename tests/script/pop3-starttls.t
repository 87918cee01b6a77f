# An honest server with STLS.
# mailhaul must say nothing but harmless things in clear, and ask for CAPA again inside TLS.
@listen starttls
@messages 1..3
@run fetch
@expect-exit 0
@expect-talk STLS\nCAPA
