# An honest server with STARTTLS: LOGINDISABLED and no AUTH= before TLS, the full list after it.
# mailhaul must say nothing but harmless things in clear, and ask for the capabilities again inside TLS.
@listen starttls
@messages 1..3
@run fetch
@expect-exit 0
@expect-talk STARTTLS\n\S+ CAPABILITY
