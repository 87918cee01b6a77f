# The source's folder has quotes and a line break's look in its name.
# mailhaul must name it safely over there.
@sink imap
@config folders = { "*" }
@folder A"b\\c
@messages 1..1
@messages 1..1 folder=A"b\\c
@run fetch
@sink-expect-handed 1 A"b\c:1
