# Modified UTF-7: a well-formed name becomes UTF-8 on disk; broken ones (a lone surrogate, ASCII in base64, an unclosed
# shift) must neither collide with others nor stop the rest.
@config folders = { "*" }
@folder Entw&APw-rfe
@folder &U,BTFw-
@folder A\x20&-\x20B
@folder &2D0-
@folder &AGE-
@folder &Jjo
@folder a
@messages 1..1
@messages 1..2 folder=Entw&APw-rfe
@messages 1..1 folder=&U,BTFw-
@messages 1..1 folder=&2D0-
@messages 1..1 folder=&AGE-
@messages 1..1 folder=&Jjo
@messages 1..1 folder=a
@run fetch
@expect-exit 0|76
@expect-maildir 1
@expect-folder .Entwürfe @of=Entw&APw-rfe 1..2
@expect-folder .台北 @of=&U,BTFw- 1
@expect-folder .a 1
