# ... but not when the account asks for 1.3.
# mailhaul must refuse.
@listen implicit
@tls-version 1.2
@config tls_min_version = "1.3"
@messages 1..2
@run fetch
@expect-exit 69
@expect-maildir none
