# The server says OK to STARTTLS and then nothing at all (fetchmail CVE-2011-1947; mpop 1.4.18 hangs for ever).
# mailhaul must leave after the timeout.
@listen starttls
@config timeout = 1
@messages 1..2
@on ^STARTTLS
S: $tag OK begin
@silent
@run fetch
@expect-exit 75
@expect-maildir none
@within 8
