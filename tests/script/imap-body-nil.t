# BODY[] NIL for one message, for ever (Exchange; fetchmail deletes such mail, mbsync skips it for ever).
# mailhaul must fetch the rest, try three passes, then set the message aside (65) and be done with it.
@config leave_on_server = "no"
@messages 1..3
@fetch 2
S: * $seq FETCH (UID 2 FLAGS () BODY[] NIL)
@run fetch
@expect-exit 75
@expect-maildir 1 3
@expect-removed 1 3
@run -q fetch
@expect-exit 75
@expect-stderr 1 message could not be had
@expect-maildir 1 3
@run -q fetch
@expect-exit 65
@expect-stderr set aside
@expect-maildir 1 3
@run status --json
@expect-exit 0
@expect-maildir any
@expect-stdout "exit_status":65
@run fetch
@expect-exit 0
@expect-maildir 1 3
@run quarantine list
@expect-exit 0
@expect-maildir 1 3
@expect-stdout \b2\b
