# A message listed with 96 octets whose literal says 400 MB, for ever: an attack on the disk.
# mailhaul must end the session before the first byte of it, and set the message aside in the third pass.
@messages 1..2
@fetch 2
@bytes * 2 FETCH (UID 2 BODY[] {400000000}\r\n
@repeat 100 @bytes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
@silent
@run fetch
@expect-exit 76
@expect-maildir 1
@expect-stderr far more than it listed
@run fetch
@expect-exit 76
@expect-maildir 1
@run fetch
@expect-exit 76
@expect-maildir 1
@expect-stderr set aside
@run fetch
@expect-exit 0
@expect-maildir 1
