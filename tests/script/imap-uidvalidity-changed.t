# The server rebuilt the folder: new UIDVALIDITY, new UIDs, the same messages.
# mailhaul must know them again without a body, fetch the one new message, and remove nothing in that pass.
@messages 1..5
@run fetch
@expect-exit 0
@expect-maildir 1..5
@run fetch
@drop 1 2 3 4 5
@folder INBOX uidvalidity=777
@messages 101..105 copy=1
@messages 106
@expect-exit 0
@expect-maildir 1..5 106
@never-sent UID FETCH (10[1-5]|10[1-5]:\S+) .*BODY\.PEEK\[\]
@run fetch
@expect-exit 0
@expect-maildir 1..5 106
@never-sent BODY\.PEEK\[\]
