# UIDLs past RFC 1939: 200 characters, spaces, 8-bit, quotes, a path, doubled spaces before it.
# mailhaul must take each as bytes and never as a name (mutt CVE-2018-14362).
@messages 1..5
@on ^UIDL
S: +OK
S: 1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
S: 2   ../../../etc/passwd
S: 3 <a b@c>
S: 4 \xff\xfe'; DROP TABLE mail; --
S: 5 "quoted"
S: .
@run fetch
@expect-exit 0
@run fetch
@expect-exit 0
