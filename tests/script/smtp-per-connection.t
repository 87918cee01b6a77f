# The server takes three messages a connection, then says 421 to MAIL and hangs up (Exim's smtp_accept_max_per_connection).
# mailhaul must connect again as often as it takes: that is no failure of any message.
@sink smtp
@config leave_on_server = "no"
@sink-per-session 3
@messages 1..20
@run fetch
@expect-not-stderr .
@expect-removed 1..20
@sink-expect-handed 1..20
