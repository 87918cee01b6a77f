# SIGTERM while the answer behind a final dot is on its way.
# mailhaul must wait a moment for it, record it, and end with 143; the next pass hands on the others and nothing twice.
@sink smtp
@config leave_on_server = "no"
@messages 1..10
@run fetch
@sink-on ^\. 3\b
@stop
@delay 300
@model
@expect-exit 143
@expect-removed any
@sink-expect-handed any
@run fetch
@expect-not-stderr duplicate
@expect-removed any
@sink-expect-handed 1..10
