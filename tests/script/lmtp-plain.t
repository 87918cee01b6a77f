# An honest LMTP server (RFC 2033): LHLO, and an answer for each recipient.
# mailhaul must hand everything on once and count each answer.
@sink lmtp
@sink-config to = { "a@example.net", "b@example.net", "c@example.net" }
@config leave_on_server = "no"
@messages 1..5
@run fetch
@expect-removed 1..5
@sink-expect-handed 1..5
@sink-expect-sent ^LHLO
@sink-never-sent ^(EHLO|HELO)
@run fetch
@sink-expect-handed 1..5
@sink-expect-connections 0
