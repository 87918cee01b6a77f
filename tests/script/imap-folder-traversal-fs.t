# The same with folders as directories of directories, where ".." and "cur" bite harder.
# mailhaul must fetch each into a folder of its own inside the Maildir, and "new" must not land in INBOX's new/.
@config folders = { "*" }
@config deliver maildir { path = '$MAIL' layout = "fs" }
@folder ../../evil
@folder /etc/mailhaul-test
@folder a/../../b
@folder ..
@folder .
@folder cur
@folder new
@folder tmp
@folder cur/x
@folder a/new
@folder a
@folder .hidden
@folder a//b
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
@messages 1..1 folder=a/new
@messages 1..1 folder=a
@messages 1..1 folder=.hidden
@messages 1..1 folder=a//b
@run fetch
@expect-exit 0
@expect-maildir 1
@expect-total 14
