# -n connects and says what would be done.
# mailhaul must change nothing: no message, no state, no flag.
@config leave_on_server = "no"
@messages 1..3
@run -n fetch
@expect-exit 0
@expect-maildir none
@never-sent STORE|EXPUNGE|MOVE
@run fetch
@expect-exit 0
@expect-maildir 1..3
@expect-removed 1..3
