# A server of 1996: no CAPA, but UIDL works (jakartaee/mail-api#50).
# mailhaul must try UIDL all the same.
@messages 1..3
@on ^CAPA
S: -ERR unknown command
@run fetch
@expect-exit 0
@expect-sent ^UIDL
