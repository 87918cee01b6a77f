# Before TLS the server (or somebody in between) promises PIPELINING, CHUNKING and SIZE 10; inside TLS there is none of it.
# mailhaul must forget what was said before (RFC 3207 4.2).
@sink smtp
@sink-listen starttls
@sink-capability PIPELINING; CHUNKING; SIZE 10; SMTPUTF8
@sink-capability-after-tls HELP
@messages 1..3
@run fetch
@sink-never-sent (SIZE=|^BDAT)
