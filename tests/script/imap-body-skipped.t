# FETCH answered OK with no response at all for one message (Exchange, Zoho).
# mailhaul must count the message as failing, not as gone and not as done.
@messages 1..3
@fetch 2
@delay 1
@run fetch
@expect-exit 75
@expect-maildir 1 3
@run fetch
@expect-exit 75
@expect-maildir 1 3
@run fetch
@expect-exit 65
@expect-maildir 1 3
