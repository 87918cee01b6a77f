# No reply but words, in mid-session.
# mailhaul must end that connection and not take the message for accepted.
@sink smtp
@messages 1..3
@run fetch
@sink-on ^MAIL FROM:<s2@
S: oops: traceback follows
@expect-exit 75|76
@expect-quarantine none
@sink-expect-handed any
@run fetch
