# A message over max_size: skipped and said once; fetch --oversize brings it.
# mailhaul must neither retrieve nor remove it meanwhile.
@config max_size = 2000
@config leave_on_server = "no"
@messages 1..2
@messages 3 octets=9000
@run fetch
@expect-exit 0
@expect-maildir 1 2
@expect-removed 1 2
@expect-stderr max_size|oversize|larger|skipped
@run fetch
@expect-exit 0
@expect-maildir 1 2
@expect-not-stderr .
@run fetch --oversize
@expect-exit 0
@expect-maildir 1..3
@expect-removed 3
