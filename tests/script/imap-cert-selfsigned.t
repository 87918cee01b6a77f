# The certificate is signed by nobody known.
# mailhaul must not log in, and tell the fingerprint to pin.
@listen implicit
@cert selfsigned
@messages 1..2
@run fetch
@expect-exit 69
@expect-maildir none
@expect-stderr sha256:
@never-sent .
