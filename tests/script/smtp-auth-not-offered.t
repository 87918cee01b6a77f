# Credentials are configured, and the server offers no AUTH.
# mailhaul must not go on without: the server lacks what the account needs (76).
@sink smtp
@sink-capability PIPELINING
@sink-config user = "user"
@sink-config password = "secret"
@messages 1..2
@run fetch
@expect-exit 76
@expect-quarantine none
@sink-expect-handed none
@sink-never-sent ^(AUTH|MAIL)
