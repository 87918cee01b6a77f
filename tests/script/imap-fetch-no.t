# NO to a FETCH with one poisoned message in it ("NO FETCH Server error", Yahoo): nothing came of that command.
# mailhaul must lose nothing; when the server is well again everything comes once.
@messages 1..3
@run fetch
@on ^UID FETCH .*BODY\.PEEK\[\]
S: $tag NO FETCH Server error
@expect-exit 75
@expect-maildir none
@run fetch
@expect-exit 0
@expect-maildir 1..3
