# INTERNALDATE that is no date, a huge one, and one without an end (mutt CVE-2018-14350).
# mailhaul must deliver the mail with some other mtime.
@message 1 date="99-Foo-99999 99:99:99 +9999"
Subject: a

a
@end
@message 2 date="AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
Subject: b

b
@end
@message 3 date=" 1-Jan-1900 00:00:00 +0000"
Subject: c

c
@end
@run fetch
@expect-exit 0
