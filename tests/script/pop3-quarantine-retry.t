# One message is refused in three passes, set aside, and can be had later; the listing never changes.
# mailhaul must leave it alone until `quarantine retry`, and then ask for it again although nothing is new.
@messages 1..3
@run fetch
@on ^RETR 2$
S: -ERR cannot be read
@expect-exit 75
@expect-maildir 1 3
@run fetch
@on ^RETR 2$
S: -ERR cannot be read
@expect-exit 75
@expect-maildir 1 3
@run fetch
@on ^RETR 2$
S: -ERR cannot be read
@expect-exit 65
@expect-maildir 1 3
@run fetch
@never-sent ^(RETR|LIST)
@expect-maildir 1 3
@run -n quarantine retry t
@expect-maildir 1 3
@run fetch
@never-sent ^(RETR|LIST)
@expect-maildir 1 3
@run quarantine retry t
@expect-maildir 1 3
@run fetch
@expect-maildir 1 2 3
@run fetch
@never-sent ^(RETR|LIST)
@expect-maildir 1 2 3
