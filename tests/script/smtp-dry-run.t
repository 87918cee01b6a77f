# A dry run says what would be done.
# mailhaul must not contact the destination at all.
@sink smtp
@messages 1..2
@run -n fetch
@sink-expect-handed none
@sink-expect-connections 0
@never-sent BODY\.PEEK\[\]
