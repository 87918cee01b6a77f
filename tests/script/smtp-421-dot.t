# 421 behind a final dot: not taken, and the connection ends. It was answered, so nothing is in doubt.
# mailhaul must put that one off and go on with the others on a new connection.
@sink smtp
@messages 1..4
@run fetch
@sink-once ^\. 2\b
S: 421 4.3.2 shutting down
@close
@expect-exit 75
@sink-expect-handed 1 3 4
@run fetch
@expect-not-stderr duplicate
@sink-expect-handed 1..4
