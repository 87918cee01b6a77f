# Two MTAs, one of them is down.
# mailhaul must give the other everything (75), remove nothing, and later bring the one only what is missing there.
@sink smtp near
@sink smtp far
@config leave_on_server = "no"
@messages 1..3
@run fetch
@far-down yes
@expect-exit 75
@expect-stderr destination far
@near-expect-handed 1..3
@far-expect-handed none
@run fetch
@messages 4..4
@far-down yes
@expect-exit 75
@near-expect-handed 1..4
@far-expect-handed none
@run fetch
@expect-removed 1..4
@near-expect-handed 1..4
@near-expect-connections 0
@far-expect-handed 1..4
