# A program that takes everything.
# mailhaul must run it once a message, with LF line ends and the facts in its environment, and without a shell.
@sink command
@config leave_on_server = "no"
@message 1 flags=\Seen,\Flagged
Return-Path: <s1@example.org>
Delivered-To: me@example.net
Subject: one

x
@end
@messages 2..3
@run fetch
@expect-removed 1..3
@sink-expect-handed 1..3
@sink-expect-env 1 ^MAILHAUL_SENDER=s1@example\.org$
@sink-expect-env 1 ^MAILHAUL_RECIPIENT=me@example\.net$
@sink-expect-env 1 ^MAILHAUL_FOLDER=INBOX$
@sink-expect-env 1 ^MAILHAUL_FLAGS=FS$
@sink-expect-env 1 ^MAILHAUL_SIZE=75$
@sink-expect-env 1 ^MAILHAUL_ACCOUNT=t$
@sink-expect-env 2 ^MAILHAUL_RECIPIENT=user$
@run fetch
@sink-expect-handed 1..3
