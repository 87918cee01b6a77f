# SIGTERM while the answer to APPEND is on its way.
# mailhaul must end with 143 and append nothing twice in the next pass.
@sink imap
@sink-capability IMAP4rev1 AUTH=PLAIN LITERAL+ UIDPLUS
@messages 1..10
@run fetch
@sink-once ^APPEND
@stop
@delay 300
@model
@expect-exit 143
@sink-expect-handed any
@run fetch
@sink-expect-handed 1..10
