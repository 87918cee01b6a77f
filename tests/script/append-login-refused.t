# The destination refuses the password.
# mailhaul must stop with 77 and leave everything where it is.
@sink imap
@config leave_on_server = "no"
@sink-on ^(LOGIN|AUTHENTICATE)
S: $tag NO [AUTHENTICATIONFAILED] wrong
@messages 1..2
@run fetch
@expect-exit 77
@expect-stderr destination sink
@sink-expect-handed none
@never-sent BODY\.PEEK\[\]
