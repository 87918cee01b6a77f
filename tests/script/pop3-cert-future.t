# The certificate is not valid before 2048.
# mailhaul must not log in.
@listen implicit
@cert future
@messages 1..2
@run fetch
@expect-exit 69
@expect-maildir none
@expect-stderr is not valid before 2048-01-01.*clock
@never-sent .
