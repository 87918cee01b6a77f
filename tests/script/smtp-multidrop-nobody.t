# Multidrop without a fallback, and a message that names nobody.
# mailhaul must set it aside: it must not guess.
@sink smtp
@sink-config to_header = "X-Original-To"
@message 1
X-Original-To: a@example.net
To: wrong@example.net

one
@end
@message 2
To: wrong@example.net
Delivered-To: wrong@example.net

two
@end
@run fetch
@expect-exit 65
@expect-quarantine 2
@sink-expect-handed 1 to=a@example.net
@sink-never-sent wrong
