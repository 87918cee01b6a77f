# A server without any extension that helps.
# mailhaul must wait for each reply before it goes on, and send no parameter that was not offered.
@sink smtp
@sink-capability HELP
@messages 1..3
@run fetch
@sink-expect-sent ^MAIL FROM:<s1@example\.org>$
