# The password is wrong.
# mailhaul must stop with 77 without a second attempt, and keep every message where it is.
@sink smtp
@config leave_on_server = "no"
@sink-config user = "user"
@sink-config password = "wrong"
@messages 1..3
@run fetch
@expect-exit 77
@expect-stderr destination sink.*wrong
@expect-quarantine none
@sink-expect-handed none
@sink-expect-connections 1
@sink-never-sent ^MAIL
