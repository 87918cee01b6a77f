# BODY[] "" for a message that has a size (Yahoo; curl CVE-2017-1000257).
# mailhaul must not take the empty string for the message.
@config leave_on_server = "no"
@messages 1..2
@fetch 2
S: * $seq FETCH (UID 2 FLAGS () BODY[] "")
@run fetch
@expect-exit 75
@expect-maildir 1
@expect-removed 1
