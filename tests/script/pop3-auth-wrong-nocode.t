# -ERR without any code to PASS.
# mailhaul must take it for a refused password.
@capability TOP;UIDL;USER
@messages 1..2
@on ^PASS
S: -ERR login failed
@run fetch
@expect-exit 77
@expect-maildir none
