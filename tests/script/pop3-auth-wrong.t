# The password is wrong, with and without a code.
# mailhaul must exit 77 and not try again in this pass.
@messages 1..2
@on ^(PASS|AUTH PLAIN)
S: -ERR [AUTH] Invalid credentials
@run fetch
@expect-exit 77
@expect-maildir none
@expect-connections 1
