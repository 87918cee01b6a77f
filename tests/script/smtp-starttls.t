# STARTTLS, and only inside it AUTH is offered.
# mailhaul must say EHLO again inside TLS, log in there, and deliver.
@sink smtp
@sink-listen starttls
@sink-config user = "user"
@sink-config password = "secret"
@messages 1..3
@run fetch
@sink-expect-sent ^STARTTLS$
@sink-expect-talk EHLO.*STARTTLS.*EHLO.*AUTH.*MAIL
