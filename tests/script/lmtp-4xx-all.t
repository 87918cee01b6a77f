# Every recipient of every message is put off: the disk over there is full.
# mailhaul must wait (75), for ever, and set nothing aside.
@sink lmtp
@messages 1..2
@run fetch
@sink-on ^\. \d
S: 452 4.3.1 disk full
@expect-exit 75
@expect-quarantine none
@sink-expect-handed none
@run fetch
@sink-on ^\. \d
S: 452 4.3.1 disk full
@expect-exit 75
@expect-quarantine none
@sink-expect-handed none
@run fetch
@sink-on ^\. \d
S: 452 4.3.1 disk full
@expect-exit 75
@expect-quarantine none
@sink-expect-handed none
@run fetch
@sink-on ^\. \d
S: 452 4.3.1 disk full
@expect-exit 75
@expect-quarantine none
@sink-expect-handed none
@run fetch
@sink-expect-handed 1..2
