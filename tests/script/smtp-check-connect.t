# `check --connect` asks whether the destination would take mail, without sending any.
# mailhaul must say EHLO, MAIL, RCPT and RSET, and tell what it heard.
@sink smtp
@messages 1..1
@run check --connect
@sink-expect-handed none
@sink-expect-sent ^RCPT TO:<me@example\.net>
@sink-expect-sent ^RSET
@sink-never-sent ^(DATA|BDAT)
@run check --connect
@sink-on ^RCPT
S: 550 5.1.1 no such user
@expect-exit 76|65|75
@expect-stderr no such user
@sink-expect-handed none
