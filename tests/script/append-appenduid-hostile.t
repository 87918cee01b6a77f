# APPENDUID of another folder, of zero, of too many, of none.
# mailhaul must take the OK for what it is: all were stored.
@sink imap
@sink-capability IMAP4rev1 AUTH=PLAIN LITERAL+ UIDPLUS
@sink-once ^APPEND
@model quiet
S: $tag OK [APPENDUID 0 0] done
@sink-once ^APPEND
@model quiet
S: $tag OK [APPENDUID 99 1:4000000000] done
@sink-once ^APPEND
@model quiet
S: $tag OK [APPENDUID x y] done
@messages 1..4
@run fetch
@expect-exit 0
@sink-expect-handed 1..4
@run fetch
@sink-expect-handed 1..4
