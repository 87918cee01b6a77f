# A server that says BAD to ID, NAMESPACE and ENABLE though it offers them (Coremail hangs or refuses).
# mailhaul must do without.
@messages 1..2
@on ^(ID|ENABLE|NAMESPACE)
S: $tag BAD unknown command
@run fetch
@expect-exit 0
