# No UIDL at all, and the account wants mail left on the server: which is new nobody can tell.
# mailhaul must refuse, with the reason, and fetch nothing.
@uidl none
@capability TOP;USER
@messages 1..3
@run fetch
@expect-exit 76
@expect-maildir none
@expect-stderr UIDL
@never-sent ^(RETR|DELE)
