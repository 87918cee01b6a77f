# A good certificate of another host (CVE-2013-0289, CVE-2014-7273).
# mailhaul must not log in.
@listen implicit
@cert wronghost
@messages 1..2
@run fetch
@expect-exit 69
@expect-maildir none
@never-sent .
