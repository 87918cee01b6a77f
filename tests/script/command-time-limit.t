# The program never ends for one message, and has children.
# mailhaul must end it after its time limit (75) and deliver the rest.
@sink command
@sink-config time_limit = 2
@sink-program
grep -q 'Subject: INBOX 2$' "$file" && sleep 60
true
@end
@messages 1..3
@run fetch
@expect-exit 75
@expect-quarantine none
@sink-expect-handed 1 3
@sink-expect-unanswered 2
@within 20
