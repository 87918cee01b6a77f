# Gmail offers UIDL, TOP and PIPELINING only after the login.
# mailhaul must ask for CAPA again then.
@capability USER;SASL PLAIN
@capability-after-login USER;UIDL;TOP;PIPELINING
@messages 1..3
@run fetch
@expect-exit 0
@expect-talk (PASS|AUTH)[^\n]*\n(.*\n)?CAPA
