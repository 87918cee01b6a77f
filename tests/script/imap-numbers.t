# Numbers past 32 and 64 bits where UIDs, sizes, counts and UIDNEXT stand.
# mailhaul must refuse what cannot be, and never mistake it for a message.
@messages 1..2
@on ^(SELECT|EXAMINE)
S: * 99999999999999999999 EXISTS
S: * OK [UIDNEXT 18446744073709551617] next
@model
@run fetch
@expect-exit 0|76
@expect-maildir any
