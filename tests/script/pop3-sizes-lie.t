# STAT and LIST give sizes that are not those of RETR (Exchange, fetchmail FAQ S2).
# mailhaul must trust the dot alone.
@message 1 size=3
Subject: longer

body of the first
@end
@message 2 size=777777
Subject: shorter

body
@end
@run fetch
@expect-exit 0
@run fetch
@expect-exit 0
