# A message over max_size: recorded as skipped and said once; fetch --oversize brings it.
# mailhaul must exit 0 meanwhile.
@config max_size = 2000
@messages 1..2
@messages 3 octets=9000
@run fetch
@expect-exit 0
@expect-maildir 1 2
@expect-stderr max_size|oversize|larger|skipped
@run fetch
@expect-exit 0
@expect-maildir 1 2
@expect-not-stderr .
@run fetch --oversize
@expect-exit 0
@expect-maildir 1..3
