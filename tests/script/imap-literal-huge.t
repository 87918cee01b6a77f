# A literal of 4 GiB - 1 that never comes (isync CVE-2021-3657 and its kind).
# mailhaul must not allocate on the server's word; when the connection ends the message is simply not there.
@messages 1..1
@fetch 1
@bytes * 1 FETCH (UID 1 BODY[] {4294967295}\r\nSubject: x\r\n
@cut
@run fetch
@expect-exit 75|76
@expect-maildir none
@expect-rss-below 64
