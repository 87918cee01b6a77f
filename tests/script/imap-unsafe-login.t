# 163.com and its sisters answer SELECT with "Unsafe Login" unless ID came after the login.
# mailhaul must send ID after the login and before it opens anything.
@messages 1..2
@run fetch
@expect-exit 0
@never-talk (LOGIN|AUTHENTICATE)(?:(?!\n\S+ ID ).)*\n\S+ (SELECT|EXAMINE)
