# QUIT is taken, done, and never answered.
# mailhaul must see by the next listing that the mail is gone.
@config timeout = 1
@config leave_on_server = "no"
@messages 1..3
@once ^QUIT
@silent
@run fetch
@expect-exit 75|0
@expect-maildir 1..3
@run fetch
@expect-exit 0
@expect-maildir 1..3
@expect-removed 1..3
@never-sent ^RETR
@within 15
