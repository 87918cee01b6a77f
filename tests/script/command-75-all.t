# 75 for everything: the program's own disk is full.
# mailhaul must wait (75), in more passes than a message has, and set nothing aside.
@sink command
@sink-program
exit 75
@end
@messages 1..2
@run fetch
@expect-exit 75
@expect-quarantine none
@sink-expect-handed none
@run fetch
@expect-exit 75
@expect-quarantine none
@sink-expect-handed none
@run fetch
@expect-exit 75
@expect-quarantine none
@sink-expect-handed none
@run fetch
@expect-exit 75
@expect-quarantine none
@sink-expect-handed none
