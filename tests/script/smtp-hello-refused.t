# The server wants to talk to nobody: 550 to EHLO and to HELO.
# mailhaul must stop with 76, keep every message on the server and set none aside.
@sink smtp
@config leave_on_server = "no"
@sink-on ^(EHLO|HELO)
S: 550 5.7.1 go away
@messages 1..3
@run fetch
@expect-exit 76
@expect-stderr go away
@expect-quarantine none
@sink-expect-handed none
@sink-never-sent ^MAIL
@never-sent BODY\.PEEK\[\]
