# +OK to STLS, then nothing (fetchmail CVE-2011-1947).
# mailhaul must leave after the timeout.
@listen starttls
@config timeout = 1
@messages 1..2
@on ^STLS
S: +OK begin
@silent
@run fetch
@expect-exit 75
@expect-maildir none
@within 8
