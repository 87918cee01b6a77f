# A program and an MTA for the same mail; the MTA is down in the first pass.
# mailhaul must run the program once a message, not again when the MTA comes back.
@sink command
@sink smtp mta
@config leave_on_server = "no"
@messages 1..3
@run fetch
@mta-down yes
@expect-exit 75
@sink-expect-handed 1..3
@mta-expect-handed none
@run fetch
@expect-removed 1..3
@sink-expect-handed 1..3
@mta-expect-handed 1..3
