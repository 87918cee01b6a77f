# Folders by special use (RFC 6154), whatever their names are.
# mailhaul must fetch what \Sent and \Junk mark.
@config folders = { "INBOX", "\\Sent", "\\Junk" }
@folder Gesendet attributes=\Sent
@folder M&APw-ll attributes=\Junk
@folder Other
@messages 1..1
@messages 1..2 folder=Gesendet
@messages 1..1 folder=M&APw-ll
@messages 1..1 folder=Other
@run fetch
@expect-exit 0
@expect-total 4
@expect-folder .Gesendet 1..2
@expect-folder .Müll @of=M&APw-ll 1
