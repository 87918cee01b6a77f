# The server falls silent at MAIL.
# mailhaul must give up after its timeout, with nothing in doubt.
@sink smtp
@config timeout = 1
@messages 1..2
@run fetch
@sink-on ^MAIL
@silent
@expect-exit 75
@expect-not-stderr duplicate
@sink-expect-handed none
@run fetch
