# 550 to every RCPT, for a large mailbox.
# mailhaul must not offer all of it: after ten refusals in a row this destination has had its say for this pass.
@sink smtp
@config leave_on_server = "no"
@sink-on ^RCPT
S: 550 5.7.1 relaying denied
@messages 1..300
@run fetch
@expect-exit 76
@expect-quarantine none
@sink-expect-handed none
@sink-never-sent ^MAIL FROM:<s2\d\d@
