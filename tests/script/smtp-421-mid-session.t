# 421 in mid-session, to the MAIL of the third message, and the connection ends (RFC 5321 3.8).
# mailhaul must connect again and go on where it was: nothing was in doubt.
@sink smtp
@config leave_on_server = "no"
@messages 1..6
@run fetch
@sink-once ^MAIL FROM:<s3@
S: 421 4.3.2 shutting down
@close
@expect-not-stderr duplicate
@expect-removed 1..6
@sink-expect-handed 1..6
@sink-expect-connections 2
