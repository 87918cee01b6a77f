# One reply too many: the server answers MAIL twice, and everything behind it is out of step.
# mailhaul must never take an old reply for that of the final dot: message 2, refused, must not be lost.
@sink smtp
@config leave_on_server = "no"
@messages 1..3
@run fetch
@sink-once ^MAIL FROM:<s2@
S: 250 2.1.0 ok
S: 250 2.1.0 ok
@sink-on ^\. 2\b
S: 451 4.3.0 not taken
@expect-exit 75|76
@expect-quarantine none
@expect-removed 1 3
@sink-expect-handed 1 3
