# [LOGIN-DELAY]: too soon after the last login.
# mailhaul must count it as temporary.
@capability TOP;UIDL;USER;LOGIN-DELAY 900;SASL PLAIN
@messages 1..2
@on ^(PASS|AUTH PLAIN)
S: -ERR [LOGIN-DELAY] minimum time between mail checks violation
@run fetch
@expect-exit 75
@expect-maildir none
