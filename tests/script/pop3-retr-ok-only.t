# +OK to RETR, the dot at once: an empty message where LIST said 100 octets.
# mailhaul must not take emptiness for the message and remove it.
@config leave_on_server = "no"
@messages 1..2
@on ^RETR 2$
S: +OK 0 octets
S: .
@run fetch
@expect-exit 75
@expect-maildir 1
@expect-removed 1
