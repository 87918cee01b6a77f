# 454 to AUTH: the server cannot ask its directory just now (RFC 4954).
# mailhaul must not call the password wrong: 75, and all is delivered in the next pass.
@sink smtp
@sink-config user = "user"
@sink-config password = "secret"
@messages 1..2
@run fetch
@sink-on ^AUTH
S: 454 4.7.0 directory is away
@expect-exit 75
@expect-stderr directory is away
@sink-expect-handed none
@sink-never-sent ^MAIL
@run fetch
