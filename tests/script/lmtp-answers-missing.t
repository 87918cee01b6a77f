# The server gives one answer behind the dot, as SMTP would, although there are two recipients, and then waits.
# mailhaul must count the first recipient as done, the second as in doubt, and not hang.
@sink lmtp
@sink-config to = { "a@example.net", "b@example.net" }
@config timeout = 1
@messages 1..1
@run fetch
@sink-on ^\. 1 b@
@silent
@expect-exit 75
@sink-expect-unanswered 1
@sink-expect-handed 1 to=a@example.net
@sink-expect-handed none to=b@example.net
@run fetch
@sink-never-sent ^RCPT TO:<a@
@sink-expect-handed 1
@within 30
