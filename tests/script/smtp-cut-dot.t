# The connection is cut behind the final dot of one message: the server may have it or not.
# mailhaul must say that the answer was never read, not remove it, deliver the others, and send that one once more in the
# next pass, as a possible duplicate with its Message-ID.
@sink smtp
@config leave_on_server = "no"
@messages 1..4
@run fetch
@sink-on ^\. 2\b
@cut
@expect-exit 75
@expect-stderr never
@expect-removed 1 3 4
@sink-expect-unanswered 2
@sink-expect-handed 1 3 4
@run fetch
@expect-stderr possible duplicate.*INBOX\.2@example\.org
@expect-removed 2
@sink-expect-handed 1..4
@run fetch
@expect-not-stderr .
@sink-expect-handed 1..4
@sink-expect-connections 0
