# A LIST that names folder after folder, three million of them.
# mailhaul must stop at its limit on list entries, or read on in bounded memory.
@config folders = { "*" }
@messages 1..2
@on ^LIST
@repeat 3000000 S: * LIST () "/" "folder-$i"
@silent
@run fetch
@expect-exit 75|76
@expect-maildir any
@expect-rss-below 64
@within 60
