# The server is far away and takes two connections at a time; all others are turned away with 421.
# mailhaul may try more than one, must be content with what it gets, and hand each message on once.
@sink smtp
@config leave_on_server = "no"
@sink-on ^EHLO
@delay 20
@model
@sink-connection
@sink-connection
@sink-every-connection
S: 421 4.7.0 too many connections from your address
@close
@messages 1..60
@run fetch
@expect-removed 1..60
@sink-expect-handed 1..60
