# A message that was set aside and dropped is left alone for good, on the server too, with leave_on_server = "no" as well.
# mailhaul must neither ask for it again nor remove it, and report nothing set aside.
@config leave_on_server = "no"
@messages 1..3
@fetch 2
S: * $seq FETCH (UID 2 FLAGS ())
@run fetch
@expect-exit 75
@expect-maildir 1 3
@expect-removed 1 3
@run fetch
@expect-exit 75
@expect-maildir 1 3
@run fetch
@expect-exit 65
@expect-maildir 1 3
@run quarantine drop t
@expect-maildir 1 3
@run fetch
@expect-exit 0
@expect-maildir 1 3
@never-sent BODY
@run quarantine list
@expect-maildir 1 3
@expect-not-stdout uid
@run quarantine retry t
@expect-maildir 1 3
@run fetch
@expect-exit 0
@expect-maildir 1 3
@never-sent BODY
