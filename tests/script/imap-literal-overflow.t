# A literal size past 64 bits (mutt CVE-2018-14351, net-imap CVE-2025-43857).
# mailhaul must refuse the response as a protocol error.
@messages 1..1
@fetch 1
@bytes * 1 FETCH (UID 1 BODY[] {99999999999999999999999}\r\nSubject: x\r\n\r\nx)\r\n
@run fetch
@expect-exit 75|76
@expect-maildir none
