# RFC 6855: after ENABLE UTF8=ACCEPT names travel as UTF-8 in quoted strings.
# mailhaul must enable it, and name the folder on disk the same as with modified UTF-7.
@capability IMAP4rev1 ENABLE UTF8=ACCEPT LITERAL+ AUTH=PLAIN UIDPLUS
@config folders = { "INBOX", "Entwürfe" }
@folder Entw\xc3\xbcrfe
@messages 1..1
@messages 1..2 folder=Entwürfe
@run fetch
@expect-exit 0
@expect-sent ENABLE .*UTF8=ACCEPT
@expect-folder .Entwürfe 1..2
