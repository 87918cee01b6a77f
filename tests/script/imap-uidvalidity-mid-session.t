# UIDVALIDITY changes in the middle of the session.
# mailhaul must stop using that folder: nothing is removed, nothing comes twice in the next pass.
@config leave_on_server = "no"
@messages 1..3
@once ^UID FETCH .*BODY\.PEEK\[\]
S: * OK [UIDVALIDITY 999] the folder was rebuilt
@model
@run fetch
@expect-exit 75|76
@expect-maildir any
