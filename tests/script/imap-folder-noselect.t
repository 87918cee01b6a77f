# "[Gmail]" itself cannot be opened (\Noselect), its children can.
# mailhaul must leave it out without a word.
@config folders = { "*" }
@folder [Gmail] attributes=\Noselect,\HasChildren
@folder [Gmail]/Drafts attributes=\Drafts
@messages 1..1
@messages 1..1 folder=[Gmail]/Drafts
@run fetch
@expect-exit 0
@expect-total 2
@never-sent (SELECT|EXAMINE|STATUS) "?\[Gmail\]"?$
