# 5xx for one message of many, behind the final dot.
# mailhaul must set that one aside at once with the server's words (65), deliver and remove the rest, and leave the one on
# the server. Nothing is ever bounced.
@sink smtp
@config leave_on_server = "no"
@sink-on ^\. 2\b
S: 554 5.6.0 is spam
@messages 1..4
@run fetch
@expect-exit 65
@expect-stderr 5\.6\.0 is spam
@expect-removed 1 3 4
@expect-quarantine 2
@sink-expect-handed 1 3 4
@run quarantine list
@expect-stdout 5\.6\.0 is spam
@sink-expect-handed 1 3 4
@run fetch
@expect-exit 0
@sink-expect-handed 1 3 4
@sink-expect-connections 0
