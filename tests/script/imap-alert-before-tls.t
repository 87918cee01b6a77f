# An ALERT ahead of TLS, which anybody on the way can write (NO STARTTLS: UI spoofing), untagged and with STARTTLS' own OK.
# mailhaul must not show it; what the server says inside TLS is shown.
@listen starttls
@messages 1..2
@on ^STARTTLS
S: * OK [ALERT] your account is closed, call this number
S: $tag OK [ALERT] call now
@tls
@on ^CAPABILITY
S: * OK [ALERT] maintenance on Sunday
@model
@run -v fetch
@expect-exit 0
@expect-stderr maintenance on Sunday
@expect-not-stderr call
