# An honest IMAP server: the model alone. What it says to a second pass is what every later pass sees.
# mailhaul must fetch everything once and nothing twice.
@messages 1..5
@run fetch
@expect-exit 0
@run fetch
@expect-exit 0
@expect-sent LOGIN|AUTHENTICATE
