# A folder name with CR LF and a command in it, sent as a literal (mbsync 1.4.4 sends it on raw).
# mailhaul must never let it become a second command.
@config folders = { "*" }
@messages 1..2
@on ^LIST
@bytes * LIST () "/" {28}\r\nEvil"\r\nx DELETE INBOX\r\ny NOOP "\r\n
@model
@run fetch
@expect-exit 0|75|76|78
@expect-maildir any
@never-sent ^(x DELETE|y NOOP)
