# POP3 to IMAP with one account section: what people need to move mail somewhere else.
# mailhaul must append everything to the folder that is named.
@protocol pop3
@sink imap
@sink-config folder = "Old mail"
@config leave_on_server = "no"
@messages 1..5
@run fetch
@expect-removed 1..5
@sink-expect-handed 1..5
@sink-expect-sent CREATE "?Old mail
@run fetch
@sink-expect-connections 0
@sink-expect-handed 1..5
