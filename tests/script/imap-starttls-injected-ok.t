# The same with a tagged OK guessed for the command that comes after the handshake (net-imap CVE-2026-42246).
# mailhaul must end the session at the left-over bytes.
@listen starttls
@messages 1..2
@on ^STARTTLS
@bytes $tag OK begin\r\na1 OK done\r\na2 OK done\r\nA3 OK done\r\n
@tls
@run fetch
@expect-exit 69
@expect-maildir none
@never-sent (?i) (LOGIN|AUTHENTICATE|SELECT|EXAMINE)
