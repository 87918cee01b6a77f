# An SMTP server at the LMTP port: LHLO is unknown.
# mailhaul must not fall back to HELO, which would change what the answers mean, but stop with 76.
@sink lmtp
@sink-on ^LHLO
S: 500 5.5.1 unknown command
@messages 1..2
@run fetch
@expect-exit 76
@expect-quarantine none
@sink-expect-handed none
@sink-never-sent ^(HELO|EHLO|MAIL)
