# The protocol is shown at -vv.
# mailhaul must not print the password, neither as it is nor in base64.
@config password = "hunter2secret"
@messages 1..1
@run -vv fetch
@expect-exit 0
@expect-not-stderr hunter2secret|aHVudGVyMnNlY3JldA|dXNlcgBodW50ZXIyc2VjcmV0
@expect-stderr UIDL
