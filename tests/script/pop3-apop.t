# The banner invites to APOP, whose MD5 can be broken by a man in the middle (CVE-2007-1558).
# mailhaul must not use it by itself.
@messages 1..2
@connection
S: +OK ready <1896.697170952@dbc.mtview.ca.us>
@run fetch
@expect-exit 0
@never-sent ^APOP
