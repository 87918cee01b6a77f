# Gmail shows a part of the mailbox a session (here 2, there 250) and hides for good what RETR once gave.
# mailhaul must follow with sessions until nothing new comes.
@per-session 2
@connection
S: +OK Gpop ready for requests from 192.0.2.1 a1b2c3
@connection
S: +OK Gpop ready for requests from 192.0.2.1 a1b2c3
@connection
S: +OK Gpop ready for requests from 192.0.2.1 a1b2c3
@connection
S: +OK Gpop ready for requests from 192.0.2.1 a1b2c3
@messages 1..5
@run fetch
@expect-exit 0
@expect-maildir 1..5
@within 30
