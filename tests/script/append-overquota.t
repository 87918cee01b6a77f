# OVERQUOTA for everything, in more passes than a message has.
# mailhaul must wait (75), set nothing aside, remove nothing; then all is appended.
@sink imap
@config leave_on_server = "no"
@messages 1..3
@run fetch
@sink-on ^APPEND
S: $tag NO [OVERQUOTA] mailbox is full
@expect-exit 75
@expect-quarantine none
@sink-expect-handed none
@run fetch
@sink-on ^APPEND
S: $tag NO [OVERQUOTA] mailbox is full
@expect-exit 75
@expect-quarantine none
@sink-expect-handed none
@run fetch
@sink-on ^APPEND
S: $tag NO [OVERQUOTA] mailbox is full
@expect-exit 75
@expect-quarantine none
@sink-expect-handed none
@run fetch
@sink-on ^APPEND
S: $tag NO [OVERQUOTA] mailbox is full
@expect-exit 75
@expect-quarantine none
@sink-expect-handed none
@run fetch
@expect-removed 1..3
@sink-expect-handed 1..3
