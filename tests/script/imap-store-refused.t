# UID STORE is refused (a read-only folder, an ACL).
# mailhaul must keep the mail it has, say what happened, and not fetch it again.
@config leave_on_server = "no"
@messages 1..2
@on ^UID STORE
S: $tag NO [NOPERM] you may not
@run fetch
@expect-exit 0|75|76
@expect-maildir 1..2
@run fetch
@expect-exit 0|75|76
@expect-maildir 1..2
@never-sent BODY\.PEEK\[\]
