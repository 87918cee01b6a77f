# A reply whose lines carry different codes; the last says 250 (RFC 5321 4.2.1: they must be the same).
# mailhaul must not take it for an answer.
@sink smtp
@messages 1..1
@run fetch
@sink-on ^\. 
S: 554-refused
S: 250 accepted
@expect-exit 75|76
@sink-expect-handed none
@run fetch
@sink-expect-handed 1
