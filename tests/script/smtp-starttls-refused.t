# 454 to STARTTLS.
# mailhaul must end the session with 69, not go on in clear.
@sink smtp
@sink-listen starttls
@sink-on ^STARTTLS
S: 454 4.7.0 not available
@messages 1..2
@run fetch
@expect-exit 69
@sink-expect-handed none
@sink-never-sent ^(AUTH|MAIL|RCPT)
