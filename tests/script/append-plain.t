# Another IMAP account as destination: folders by the same name, flags and dates.
# mailhaul must append every message once, with what belongs to it, and create the folder that is missing.
@sink imap
@config folders = { "INBOX", "Archive" }
@folder Archive
@messages 1..2
@messages 3..3 date="01-Feb-2003 04:05:06 +0100"
@messages 4..4 flags=\Seen,\Flagged
@messages 1..2 folder=Archive
@run fetch
@sink-expect-handed 1..4 Archive:1..2
@sink-expect-folder INBOX 1..4
@sink-expect-folder Archive Archive:1..2
@sink-expect-flags 4 \Seen,\Flagged "17-Jul-1996 02:44:25 -0700"
@sink-expect-flags 3 none "01-Feb-2003 04:05:06 +0100"
@run fetch
@sink-expect-handed 1..4 Archive:1..2
@sink-expect-connections 0
