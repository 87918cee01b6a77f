# The server closes without a word at the first command.
# mailhaul must count it as temporary.
@messages 1..2
@on ^
@cut
@run fetch
@expect-exit 75
@expect-maildir none
