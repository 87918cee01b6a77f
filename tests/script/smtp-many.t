# More messages than one batch or one window holds.
# mailhaul must hand each on once.
@sink smtp
@config leave_on_server = "no"
@messages 1..400
@run fetch
@expect-removed 1..400
@sink-expect-handed 1..400
@within 60
