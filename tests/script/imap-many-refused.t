# Fifteen messages that can never be had in INBOX (iCloud, Exchange), and a folder behind it that gets mail.
# mailhaul must not take the fifteen for a server in trouble: the mail of the other folder comes in every pass.
@config folders = { "*" }
@folder Zebra
@messages 1..18
@fetch 1
S: * $seq FETCH (UID 1 FLAGS ())
@fetch 2
S: * $seq FETCH (UID 2 FLAGS ())
@fetch 3
S: * $seq FETCH (UID 3 FLAGS ())
@fetch 4
S: * $seq FETCH (UID 4 FLAGS ())
@fetch 5
S: * $seq FETCH (UID 5 FLAGS ())
@fetch 6
S: * $seq FETCH (UID 6 FLAGS ())
@fetch 7
S: * $seq FETCH (UID 7 FLAGS ())
@fetch 8
S: * $seq FETCH (UID 8 FLAGS ())
@fetch 9
S: * $seq FETCH (UID 9 FLAGS ())
@fetch 10
S: * $seq FETCH (UID 10 FLAGS ())
@fetch 11
S: * $seq FETCH (UID 11 FLAGS ())
@fetch 12
S: * $seq FETCH (UID 12 FLAGS ())
@fetch 13
S: * $seq FETCH (UID 13 FLAGS ())
@fetch 14
S: * $seq FETCH (UID 14 FLAGS ())
@fetch 15
S: * $seq FETCH (UID 15 FLAGS ())
@run fetch
@expect-exit 75
@expect-maildir 16 17 18
@run fetch
@messages 1..2 folder=Zebra
@expect-exit 75
@expect-maildir 16 17 18
@expect-folder .Zebra 1 2 @of=Zebra
@run fetch
@messages 19..19
@messages 3..3 folder=Zebra
@expect-exit 65|75
@expect-maildir 16 17 18 19
@expect-folder .Zebra 1 2 3 @of=Zebra
