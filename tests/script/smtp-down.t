# Nobody listens at the destination.
# mailhaul must not fetch a body for nothing, exit 75, and have all in the next pass.
@sink smtp
@messages 1..3
@run fetch
@sink-down yes
@expect-exit 75
@expect-stderr destination sink
@never-sent BODY\.PEEK\[\]
@sink-expect-handed none
@run fetch
@sink-expect-handed 1..3
