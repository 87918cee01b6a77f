# A message of no octets at all.
# mailhaul must hand on the trace field alone, or set it aside; the rest goes on.
@sink smtp
@bytes-message 1 
@messages 2..3
@run fetch
@expect-exit 0
@sink-expect-handed 1..3
