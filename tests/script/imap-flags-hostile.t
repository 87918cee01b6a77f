# Flags with a slash, a colon and thousands of keywords: what ends up in a file name is four letters at most.
# mailhaul must not let a flag reach the file name as it is.
@messages 1..2
@fetch 2
@bytes * $seq FETCH (UID 2 FLAGS (\\Seen ../../x a:2,ST 
@repeat 3000 @bytes k$i 
@bytes ) BODY[] {9}\r\nA: b\r\n\r\nc)\r\n
@run fetch
@expect-exit 0
@expect-maildir 1
@expect-message A: b\n\nc
