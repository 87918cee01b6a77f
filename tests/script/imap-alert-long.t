# A NO text of a megabyte.
# mailhaul must neither keep nor print all of it.
@messages 1..2
@on ^(LOGIN|AUTHENTICATE)
@bytes $tag NO [AUTHENTICATIONFAILED] 
@repeat 16384 @bytes ZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZ
S: 
@run fetch
@expect-exit 76|77
@expect-maildir none
@expect-not-stderr Z{9000}
@expect-rss-below 64
