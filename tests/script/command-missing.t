# The program is not there.
# mailhaul must say so (78), and fetch nothing.
@sink command
@sink-config command = { "/nonexistent/program" }
@messages 1..1
@run fetch
@expect-exit 78
@expect-stderr /nonexistent/program
@sink-expect-handed none
