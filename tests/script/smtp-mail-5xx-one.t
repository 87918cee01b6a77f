# 5xx for one message of many, to MAIL.
# mailhaul must set that one aside at once with the server's words (65), deliver and remove the rest, and leave the one on
# the server. Nothing is ever bounced.
@sink smtp
@config leave_on_server = "no"
@sink-on ^MAIL FROM:<s2@
S: 550 5.1.8 sender unknown
@messages 1..4
@run fetch
@expect-exit 65
@expect-stderr 5\.1\.8 sender unknown
@expect-removed 1 3 4
@expect-quarantine 2
@sink-expect-handed 1 3 4
@run quarantine list
@expect-stdout 5\.1\.8 sender unknown
@sink-expect-handed 1 3 4
@run fetch
@expect-exit 0
@sink-expect-handed 1 3 4
@sink-expect-connections 0
