# Flags and INTERNALDATE of the server.
# mailhaul must map \Seen \Answered \Flagged \Draft, nothing else, and put unflagged mail into new/.
@messages 1 flags=\Seen
@messages 2 flags=\Seen,\Answered,\Flagged,\Draft
@messages 3 flags=\Deleted
@messages 4 flags=$Forwarded,NonJunk
@messages 5 flags=\Recent
@messages 6 flags=\Flagged,\Deleted
@run fetch
@expect-exit 0
@expect-flags 1 S
@expect-flags 2 DFRS
@expect-flags 3 new
@expect-flags 4 new
@expect-flags 5 new
@expect-flags 6 F
