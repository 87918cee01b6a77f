# UIDVALIDITY 0, which no server may use.
# mailhaul must treat it as missing.
@config folders = { "*" }
@folder INBOX uidvalidity=0
@folder Work
@messages 1..2
@messages 1..2 folder=Work
@run fetch
@expect-exit 76
@expect-maildir none
@expect-folder .Work 1..2
