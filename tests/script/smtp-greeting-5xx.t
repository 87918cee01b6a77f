# 554 as greeting (RFC 5321 3.1: no SMTP service here).
# mailhaul must stop with 76: it is the destination, not the mail. Nothing is set aside, nothing removed.
@sink smtp
@config leave_on_server = "no"
@messages 1..3
@run fetch
@sink-every-connection
S: 554 5.7.1 your address is on a list
@expect-exit 76
@expect-stderr destination sink.*your address is on a list
@expect-quarantine none
@sink-expect-handed none
@sink-never-sent ^(MAIL|RCPT|DATA)
@run fetch
@expect-removed 1..3
@sink-expect-handed 1..3
