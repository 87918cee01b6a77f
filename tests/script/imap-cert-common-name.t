# The right name stands in the subject's CN alone, the alternative names say another (RFC 9525).
# mailhaul must not log in.
@listen implicit
@cert host-only
@messages 1..2
@run fetch
@expect-exit 69
@expect-maildir none
@never-sent .
