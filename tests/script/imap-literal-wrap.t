# 2^64 + 10: a size that wraps to a small one where the arithmetic is not checked.
# mailhaul must not deliver ten octets.
@messages 1..1
@fetch 1
@bytes * 1 FETCH (UID 1 BODY[] {18446744073709551626}\r\nSubject: x)\r\n
@run fetch
@expect-exit 75|76
@expect-maildir none
