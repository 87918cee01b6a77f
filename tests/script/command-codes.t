# One message gives 67 (no such user), one 75 (later), one is killed by a signal.
# mailhaul must set the first aside, and try the others again; the last line that was written is the reason.
@sink command
@sink-program
grep -q 'Subject: INBOX 2$' "$file" && { echo working; echo no such user here >&2; exit 67; }
grep -q 'Subject: INBOX 3$' "$file" && exit 75
grep -q 'Subject: INBOX 4$' "$file" && kill -9 $$
true
@end
@config leave_on_server = "no"
@messages 1..5
@run fetch
@expect-exit 75
@expect-removed 1 5
@expect-quarantine 2
@sink-expect-handed 1 5
@sink-expect-unanswered 4
@run quarantine list
@expect-stdout no such user here
@sink-expect-handed 1 5
@run fetch
@expect-exit 75
@expect-quarantine 2
@sink-expect-handed 1 5
@sink-expect-unanswered 4
