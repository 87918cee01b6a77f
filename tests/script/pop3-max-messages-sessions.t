# max_messages larger than what one session fetches before it removes (500).
# mailhaul must go on in the next session with what is left of the limit, and stop there.
@config leave_on_server = "no"
@config max_messages = 600
@config timeout = 20
@messages 1..700
@run fetch
@expect-maildir 1..600
@expect-removed 1..600
