# SIGTERM, and the answer behind the final dot never comes.
# mailhaul must end within seconds all the same, with that one message in doubt.
@sink smtp
@config timeout = 60
@messages 1..4
@run fetch
@sink-on ^\. 3\b
@stop
@silent
@expect-exit 143
@sink-expect-unanswered 3
@sink-expect-handed 1 2
@run fetch
@expect-stderr possible duplicate
@sink-expect-handed 1..4
