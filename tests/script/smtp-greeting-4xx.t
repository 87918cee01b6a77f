# 421 as greeting, for as many connections as are made in three passes; then the server is well again.
# mailhaul must leave everything where it is (75), set nothing aside however often, and then deliver.
@sink smtp
@config leave_on_server = "no"
@messages 1..3
@run fetch
@sink-every-connection
S: 421 4.3.2 too busy
@close
@expect-exit 75
@expect-stderr too busy
@sink-expect-handed none
@run fetch
@sink-every-connection
S: 421 4.3.2 too busy
@close
@expect-exit 75
@sink-expect-handed none
@run fetch
@sink-every-connection
S: 421 4.3.2 too busy
@close
@expect-exit 75
@expect-quarantine none
@sink-expect-handed none
@run fetch
@expect-removed 1..3
@sink-expect-handed 1..3
