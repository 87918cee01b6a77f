# No UIDL at all with leave_on_server = "no".
# mailhaul must fetch and remove.
@uidl none
@capability TOP;USER
@config leave_on_server = "no"
@messages 1..3
@run fetch
@expect-exit 0
@expect-maildir 1..3
@expect-removed 1..3
