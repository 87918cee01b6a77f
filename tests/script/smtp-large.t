# A message of 30 MB.
# mailhaul must never have it in memory.
@sink smtp
@sink-capability PIPELINING; SIZE; 8BITMIME
@messages 1..1 octets=30000000
@run fetch
@expect-rss-below 20
@within 60
