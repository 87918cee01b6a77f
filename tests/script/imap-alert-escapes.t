# Escape sequences for a terminal in ALERT and NO texts, C0, DEL and C1 in both encodings (NO STARTTLS: UI spoofing).
# mailhaul must show the words and none of the control characters.
@messages 1..2
@connection
S: * OK [ALERT] \x1b[2J\x1b]0;owned\x07 evil \x08\x7f\x9b31m \xc2\x9b greeting
@on ^(LOGIN|AUTHENTICATE)
S: * NO [ALERT] \x1b[31mred
S: $tag NO [AUTHENTICATIONFAILED] \x1b]52;c;ZXZpbA==\x07 wicked words \x00 \xff\xfe
@run fetch
@expect-exit 77
@expect-maildir none
@expect-stderr wicked words
