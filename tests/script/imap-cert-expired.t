# The certificate ran out in 2020.
# mailhaul must not log in.
@listen implicit
@cert expired
@messages 1..2
@run fetch
@expect-exit 69
@expect-maildir none
@expect-stderr expired
@never-sent .
