# A certificate for the right name from an authority that nobody trusts.
# mailhaul must not log in, with STARTTLS neither.
@listen starttls
@cert otherca
@messages 1..2
@run fetch
@expect-exit 69
@expect-maildir none
