# Return-Path without a domain, and one with a source route.
# mailhaul must not send a sender that has no domain (the null sender then), and drop the route (RFC 5321 appendix C).
@sink smtp
@bytes-message 1 Return-Path: <root>\r\nSubject: one\r\n\r\n1\r\n
@bytes-message 2 Return-Path: <@a.example,@b.example:c@d.example>\r\nSubject: two\r\n\r\n2\r\n
@run fetch
@sink-expect-handed 1..2
@sink-expect-talk FROM:<>.*FROM:<c@d\.example>
@sink-never-sent (root|a\.example)
