# Patterns that no folder of the server fits: a typing error that would otherwise be silence for ever.
# mailhaul must say so.
@config folders = { "Archiv/*" }
@folder INBOX
@messages 1..2
@run fetch
@expect-exit 0
@expect-stderr no folder of the server fits
@expect-maildir none
