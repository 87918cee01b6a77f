# One message is answered OK without a body in three passes, set aside, and can be had later; STATUS never changes.
# mailhaul must leave it alone until `quarantine retry`, and then open the folder for it although nothing is new.
@messages 1..3
@run fetch
@fetch 2
S: * $seq FETCH (UID 2 FLAGS ())
@expect-exit 75
@expect-maildir 1 3
@run fetch
@fetch 2
S: * $seq FETCH (UID 2 FLAGS ())
@expect-exit 75
@expect-maildir 1 3
@run fetch
@fetch 2
S: * $seq FETCH (UID 2 FLAGS ())
@expect-exit 65
@expect-maildir 1 3
@run fetch
@never-sent FETCH
@expect-maildir 1 3
@run quarantine retry t
@expect-maildir 1 3
@run fetch
@expect-maildir 1 2 3
@run fetch
@never-sent FETCH
@expect-maildir 1 2 3
