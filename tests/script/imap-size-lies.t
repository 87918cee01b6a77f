# RFC822.SIZE is wrong in both directions (Gmail, hMailServer, Exchange).
# mailhaul must trust the literal alone.
@message 1 size=5
Subject: longer than said

body
@end
@message 2 size=99999
Subject: shorter than said

body
@end
@run fetch
@expect-exit 0
@run fetch
@expect-exit 0
