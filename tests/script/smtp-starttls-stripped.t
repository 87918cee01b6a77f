# STARTTLS is missing from the EHLO reply: somebody in between took it out, and offers AUTH instead.
# mailhaul must end the session with 69: neither the password nor a message goes out in clear.
@sink smtp
@sink-listen starttls
@sink-config user = "user"
@sink-config password = "secret"
@sink-on ^EHLO
S: 250-model
S: 250-PIPELINING
S: 250 AUTH PLAIN LOGIN
@messages 1..2
@run fetch
@expect-exit 69
@expect-quarantine none
@sink-expect-handed none
@sink-never-sent ^(AUTH|MAIL|RCPT)
