# A catch-all box: the recipients stand in a field that the delivering server added.
# mailhaul must take every occurrence, several addresses in one, cut off the prefix, obey the domains, drop doubles, use the
# fallback when nothing is left, and never look at To or Cc.
@sink smtp
@sink-config to_header = "Delivered-To"
@sink-config to_domains = { "example.net", "example.com" }
@sink-config to_strip_prefix = "box-"
@sink-config to_fallback = "postmaster@example.net"
@message 1
Delivered-To: box-a@example.net
To: wrong1@example.net

one
@end
@message 2
Delivered-To: box-a@example.net
Delivered-To: b@EXAMPLE.com, "C" <box-c@example.net>
delivered-to: A@example.org
Cc: wrong2@example.net

two
@end
@message 3
Delivered-To: someone@elsewhere.example
To: wrong3@example.net

three
@end
@message 4
To: wrong4@example.net

four
@end
@message 5
Delivered-To: box-a@example.net
Delivered-To: a@example.NET

five
@end
@message 6
Delivered-To: <a@example.net>
 RCPT TO:<wrong6@example.net>
Delivered-To: box-a@example.net

six
@end
@run fetch
@sink-expect-handed 1 2 5 6 to=a@example.net
@sink-expect-handed 2 to=b@EXAMPLE.com
@sink-expect-handed 2 to=c@example.net
@sink-expect-handed 3 4 to=postmaster@example.net
@sink-never-sent (wrong[1-4]|elsewhere|example\.org|box-)
