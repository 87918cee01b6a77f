# UIDVALIDITY changes in the middle of the session.
# mailhaul must stop using that session: nothing is removed, and nothing comes twice when the server is of one mind again.
@config leave_on_server = "no"
@messages 1..3
@run fetch
@on ^UID FETCH .*BODY\.PEEK\[\]
S: * OK [UIDVALIDITY 999] the folder was rebuilt
@model
@expect-exit 75|76
@expect-maildir any
@run fetch
@expect-exit 0
@expect-maildir 1..3
@expect-removed 1..3
