# 554 behind every final dot: a content filter gone mad.
# mailhaul must stop with 76, set nothing aside and remove nothing, in every pass.
@sink smtp
@config leave_on_server = "no"
@messages 1..5
@run fetch
@sink-on ^\. \d
S: 554 5.7.1 refused
@expect-exit 76
@expect-quarantine none
@sink-expect-handed none
@run fetch
@sink-on ^\. \d
S: 554 5.7.1 refused
@expect-exit 76
@expect-quarantine none
@sink-expect-handed none
@run fetch
@expect-removed 1..5
@sink-expect-handed 1..5
