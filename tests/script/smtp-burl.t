# Dovecot's submission service (2.3): it dies when the next envelope waits behind a message that is not answered yet, and
# has handed that message on by then. BURL tells it. mailhaul must pipeline MAIL and RCPT there, and send nothing ahead.
@sink smtp
@sink-capability 8BITMIME; BURL imap; CHUNKING; SIZE; PIPELINING
@messages 1..3
@run fetch
@sink-expect-handed 1..3
