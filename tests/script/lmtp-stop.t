# SIGTERM between the answers for two recipients.
# mailhaul must record both.
@sink lmtp
@sink-config to = { "a@example.net", "b@example.net" }
@messages 1..4
@run fetch
@sink-on ^\. 3 b@
@stop
@delay 300
@model
@expect-exit 143
@sink-expect-handed 1..3
@run fetch
@expect-not-stderr duplicate
@sink-expect-handed 1..4
