# 554 to DATA, once, although the recipient was accepted.
# mailhaul must set that one message aside, say RSET before the next, and deliver the rest.
@sink smtp
@sink-once ^DATA
S: 554 5.5.1 no valid recipients
@messages 1..4
@run fetch
@expect-exit 65
@sink-expect-handed any
@sink-expect-sent ^RSET
@run quarantine list
@expect-stdout no valid recipients
@sink-expect-handed any
@run fetch
@sink-expect-handed any
@sink-expect-connections 0
