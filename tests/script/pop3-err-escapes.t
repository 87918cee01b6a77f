# Escape sequences for a terminal in a greeting and an -ERR.
# mailhaul must show the words and none of the control characters.
@messages 1..2
@connection
S: +OK \x1b[2J\x07 ready
@on ^(PASS|AUTH PLAIN)
S: -ERR [AUTH] \x1b]0;owned\x07 wicked words \x9b31m \x7f \xff
@run fetch
@expect-exit 77
@expect-maildir none
@expect-stderr wicked words
