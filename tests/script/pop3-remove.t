# leave_on_server = "no" with an honest server.
# mailhaul must remove what it has, and say QUIT.
@config leave_on_server = "no"
@messages 1..3
@run fetch
@expect-exit 0
@expect-maildir 1..3
@expect-removed 1..3
@expect-sent ^QUIT
@run fetch
@expect-exit 0
@expect-maildir 1..3
