# A greeting that is no greeting, then a server that would do anything in clear (mutt CVE-2020-28896).
# mailhaul must not go on to log in.
@listen starttls
@messages 1..2
@connection
S: hello there
@connection
S: hello there
@run fetch
@expect-exit 76|69
@expect-maildir none
@never-sent (?i) (LOGIN|AUTHENTICATE)
