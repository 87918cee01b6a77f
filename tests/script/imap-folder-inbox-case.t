# A server that lists INBOX as "Inbox" (Yahoo of old): the name knows no case.
# mailhaul must see one INBOX and deliver it to the Maildir itself.
@config folders = { "*" }
@messages 1..2
@on ^LIST
S: * LIST (\HasNoChildren) "/" Inbox
S: $tag OK done
@run fetch
@expect-exit 0
@expect-maildir 1..2
@expect-total 2
