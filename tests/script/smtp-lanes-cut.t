# Far away, several connections, and each breaks at certain messages, behind the final dot or within the envelope.
# mailhaul must lose nothing: what was answered is not sent again, what was in doubt is, and in the next pass.
@sink smtp
@config leave_on_server = "no"
@sink-on ^EHLO
@delay 20
@model
@messages 1..80
@run fetch
@sink-on ^\. (20|40)\b
@cut
@sink-on ^MAIL FROM:<s(10|30|50)@
@model
@reset
@expect-exit 75
@expect-removed 1..9 11..19 21..29 31..39 41..49 51..80
@sink-expect-unanswered 20 40
@sink-expect-handed 1..9 11..19 21..29 31..39 41..49 51..80
@run fetch
@expect-stderr possible duplicate
@expect-removed 10 20 30 40 50
@sink-expect-handed 1..80
