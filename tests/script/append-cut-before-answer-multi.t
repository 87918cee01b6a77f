# The same with MULTIAPPEND: all or nothing was stored (RFC 3502), and nobody knows which.
# mailhaul must look and append only what is not there.
@sink imap
@messages 1..5
@run fetch
@sink-once ^APPEND
@model quiet
@cut
@sink-expect-handed 1..5
@sink-expect-folder INBOX 1..5
