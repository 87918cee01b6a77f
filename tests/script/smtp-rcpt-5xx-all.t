# 550 to every RCPT: the address in the configuration is wrong, or the server does not relay.
# mailhaul must stop with 76: a destination refused everything. No message is set aside, none removed; mended, all comes.
@sink smtp
@config leave_on_server = "no"
@messages 1..6
@run fetch
@sink-on ^RCPT
S: 550 5.7.1 relaying denied
@expect-exit 76
@expect-stderr destination sink.*relaying denied
@expect-quarantine none
@sink-expect-handed none
@run fetch
@sink-on ^RCPT
S: 550 5.7.1 relaying denied
@expect-exit 76
@expect-quarantine none
@sink-expect-handed none
@run fetch
@expect-removed 1..6
@sink-expect-handed 1..6
