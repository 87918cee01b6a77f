# A server with UTF8 (RFC 6856) and LANG.
# mailhaul must fetch as ever.
@capability TOP;UIDL;USER;UTF8;LANG;SASL PLAIN
@messages 1..3
@bytes-message 4 Subject: \xc3\xbc\r\n\r\n\xe2\x82\xac\r\n
@run fetch
@expect-exit 0
