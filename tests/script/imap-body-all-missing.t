# Every FETCH is answered OK with no data at all (Exchange in bad times).
# mailhaul must deliver nothing and record nothing; when the server is well again all comes.
@messages 1..3
@run fetch
@on ^UID FETCH .*BODY\.PEEK\[\]
S: $tag OK FETCH completed
@expect-exit 75
@expect-maildir none
@run fetch
@expect-exit 0
@expect-maildir 1..3
