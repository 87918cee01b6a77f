# Folder names that climb out of the Maildir, name its inner directories, or hold what a file name cannot
# (isync CVE-2021-20247, mutt CVE-2018-14355). mailhaul must fetch each into a folder of its own inside the Maildir.
@config folders = { "*" }
@folder ../../evil
@folder /etc/mailhaul-test
@folder a/../../b
@folder ..
@folder .
@folder cur
@folder new
@folder tmp
@folder cur/x
@folder ~/x
@folder .hidden
@folder a.b
@folder a/b
@folder a%2Eb
@folder tab\x09and\x7fdel
@messages 1..1
@messages 1..1 folder=../../evil
@messages 1..1 folder=/etc/mailhaul-test
@messages 1..1 folder=a/../../b
@messages 1..1 folder=..
@messages 1..1 folder=.
@messages 1..1 folder=cur
@messages 1..1 folder=new
@messages 1..1 folder=tmp
@messages 1..1 folder=cur/x
@messages 1..1 folder=~/x
@messages 1..1 folder=.hidden
@messages 1..1 folder=a.b
@messages 1..1 folder=a/b
@messages 1..1 folder=a%2Eb
@run fetch
@expect-exit 0
@expect-maildir 1
@expect-total 15
@run fetch
@expect-exit 0
@expect-total 15
