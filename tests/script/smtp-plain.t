# An honest SMTP server: the model alone. The second pass has nothing to deliver.
# mailhaul must hand everything on once, with Return-Path as the sender, then remove it, and contact nobody for nothing.
@sink smtp
@config leave_on_server = "no"
@messages 1..5
@run fetch
@expect-removed 1..5
@sink-expect-handed 1..5
@sink-expect-sent ^MAIL FROM:<s3@example\.org> .*SIZE=\d+
@sink-expect-sent ^RCPT TO:<me@example\.net>$
@sink-expect-sent ^QUIT$
@sink-never-sent ^(AUTH|HELO|RSET)
@run fetch
@expect-not-stderr .
@sink-expect-handed 1..5
@sink-expect-connections 0
