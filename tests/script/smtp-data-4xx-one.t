# 451 to DATA, once.
# mailhaul must put that one off (75) and bring it in the next pass.
@sink smtp
@sink-once ^DATA
S: 451 4.3.0 later
@messages 1..4
@run fetch
@expect-exit 75
@expect-quarantine none
@sink-expect-handed any
@run fetch
