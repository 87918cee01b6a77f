# What the server offered before TLS may be an attacker's word: here AUTH=PLAIN and SASL-IR vanish inside TLS.
# mailhaul must forget the old list and use LOGIN.
@listen starttls
@messages 1..2
@connection
S: * OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN SASL-IR COMPRESS=DEFLATE] ready
C: STARTTLS
S: $tag OK begin
@tls
C: CAPABILITY
S: * CAPABILITY IMAP4rev1
S: $tag OK done
C: LOGIN *
S: $tag OK [CAPABILITY IMAP4rev1] logged in
@run fetch
@expect-exit 0
@never-sent AUTHENTICATE
