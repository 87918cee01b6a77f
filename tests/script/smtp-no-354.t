# 250 to DATA: no 354, and nothing may follow.
# mailhaul must not send the message, and must not count it as taken.
@sink smtp
@messages 1..2
@run fetch
@sink-on ^DATA
S: 250 2.0.0 ok
@expect-exit 75|76
@expect-quarantine none
@sink-expect-handed none
@sink-never-sent ^Subject:
@run fetch
