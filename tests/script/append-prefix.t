# folder_prefix, and another hierarchy separator over there.
# mailhaul must put INBOX and Lists/a below the prefix.
@sink imap
@sink-separator .
@sink-config folder_prefix = "Work"
@config folders = { "INBOX", "Lists/a" }
@folder Lists/a
@messages 1..1
@messages 1..1 folder=Lists/a
@run fetch
@sink-expect-handed 1 Lists/a:1
@sink-expect-folder Work.Lists.a Lists/a:1
