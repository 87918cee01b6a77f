# A submission server: AUTH is asked for.
# mailhaul must log in once a connection, and the password must not be seen at -vv.
@sink smtp
@sink-config user = "user"
@sink-config password = "secret"
@sink-config auth = { "plain" }
@messages 1..3
@run -vv fetch
@sink-expect-sent ^AUTH PLAIN
@expect-not-stderr secret
@expect-not-stderr AHVzZXIAc2VjcmV0
