# EHLO is an unknown command to a very old server (RFC 5321 3.2).
# mailhaul must say HELO and deliver without extensions.
@sink smtp
@sink-on ^EHLO
S: 502 5.5.2 what is that
@messages 1..2
@run fetch
@sink-expect-sent ^HELO \S+$
@sink-expect-sent ^MAIL FROM:<s1@example\.org>$
