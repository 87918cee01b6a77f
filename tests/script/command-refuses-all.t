# Every run fails with 1: the program is broken, not the mail.
# mailhaul must stop with 76, set nothing aside and remove nothing.
@sink command
@config leave_on_server = "no"
@sink-program
echo cannot find my own configuration
exit 1
@end
@messages 1..5
@run fetch
@expect-exit 76
@expect-stderr cannot find my own configuration
@expect-quarantine none
@sink-expect-handed none
