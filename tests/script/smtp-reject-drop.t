# on_reject = "drop": what is refused for good may go from the server like what was delivered.
# mailhaul must warn with the server's words and remove it; not so when everything is refused.
@sink smtp
@sink-config on_reject = "drop"
@config leave_on_server = "no"
@messages 1..3
@run fetch
@sink-on ^RCPT
S: 550 5.1.1 nobody here
@expect-exit 76
@sink-expect-handed none
@run fetch
@sink-on ^\. 2\b
S: 550 5.6.0 a virus
@expect-exit 0
@expect-stderr a virus
@expect-removed 1..3
@expect-quarantine none
@sink-expect-handed 1 3
@run fetch
@sink-expect-handed 1 3
@sink-expect-connections 0
