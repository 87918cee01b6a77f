# UID FETCH n:* names the last message only, then NO: the one before it is left out, and UIDNEXT is past both.
# mailhaul must fetch what was listed, and look again from the same place in the next pass.
@messages 1..3
@once UID FETCH 1:\* \(UID
S: * 3 FETCH (UID 3 RFC822.SIZE 500)
S: $tag NO some messages could not be listed
@run fetch
@expect-exit 0
@expect-maildir 3
@run fetch
@expect-exit 0
@expect-maildir 1 2 3
