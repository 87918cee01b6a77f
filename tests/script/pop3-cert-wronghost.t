# A good certificate of another host, after STLS.
# mailhaul must not log in.
@listen starttls
@cert wronghost
@messages 1..2
@run fetch
@expect-exit 69
@expect-maildir none
@never-sent ^(USER|PASS|AUTH)
