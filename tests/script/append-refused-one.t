# One message of many is refused at its literal (a virus scanner): NO without a code.
# mailhaul must deliver the others; this one is tried in three passes, then set aside, and never in the way of the rest.
@sink imap
@sink-capability IMAP4rev1 AUTH=PLAIN UIDPLUS
@config leave_on_server = "no"
@messages 1..1
@messages 2..2 octets=77777
@messages 3..4
@sink-on ^LITERAL APPEND .*\{777\d\d\}
S: $tag NO cannot store that
@run fetch
@expect-exit 75|65
@expect-removed 1 3 4
@sink-expect-handed 1 3 4
@run fetch
@expect-exit 75|65|0
@sink-expect-handed 1 3 4
@run fetch
@expect-exit 65|0
@expect-quarantine 2
@sink-expect-handed 1 3 4
