# Patterns and excludes: "%" stops at the separator, "!" takes out, what matches nothing is no error.
# mailhaul must fetch INBOX, Lists/a and Lists/b, but not Lists/a/deep or Spam.
@config folders = { "INBOX", "Lists/%", "None/*", "Sp*", "!Spam" }
@folder Lists
@folder Lists/a
@folder Lists/b
@folder Lists/a/deep
@folder Spam
@messages 1..1
@messages 1..1 folder=Lists/a
@messages 1..1 folder=Lists/b
@messages 1..1 folder=Lists/a/deep
@messages 1..1 folder=Spam
@run fetch
@expect-exit 0
@expect-total 3
@expect-folder .Lists.a @of=Lists/a 1
@expect-folder .Lists.b @of=Lists/b 1
@never-sent (SELECT|EXAMINE) "?Spam
