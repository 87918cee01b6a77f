# TRYCREATE: the folder was removed by somebody between CREATE and APPEND.
# mailhaul must create it and append again, at the latest in the next pass.
@sink imap
@sink-config folder = "Gone"
@sink-folder Gone
@messages 1..3
@run fetch
@sink-once ^(LITERAL|APPEND)
S: $tag NO [TRYCREATE] no such folder
@expect-exit 0|75
@expect-quarantine none
@sink-expect-handed any
@run fetch
@sink-expect-handed 1..3
