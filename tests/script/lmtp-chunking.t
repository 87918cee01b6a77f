# BDAT by LMTP: an answer for each recipient behind LAST, one of them a refusal.
# mailhaul must count them.
@sink lmtp
@sink-capability PIPELINING; CHUNKING; 8BITMIME
@sink-config to = { "a@example.net", "b@example.net" }
@sink-on ^\. 2 b@
S: 552 5.2.2 full
@messages 1..3
@run fetch
@expect-exit 65
@expect-quarantine 2
@sink-expect-handed 1 2 3 to=a@example.net
@sink-expect-handed 1 3 to=b@example.net
