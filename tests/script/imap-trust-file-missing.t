# A trust file that is not there: a slip in the configuration, found before anybody is contacted.
# mailhaul must say so with 78, in check as in fetch.
@config tls_trust_file = "/nonexistent/ca.pem"
@listen implicit
@messages 1..2
@run check
@expect-exit 78
@expect-stderr /nonexistent/ca.pem
@expect-maildir none
@run fetch
@expect-exit 78
@expect-stderr /nonexistent/ca.pem
@expect-maildir none
