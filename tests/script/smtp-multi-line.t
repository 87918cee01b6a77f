# Every reply has many lines, some are long, some are the code alone.
# mailhaul must read them all.
@sink smtp
@sink-every-connection
S: 220-model
S: 220-
S: 220 ready
@sink-on ^MAIL
@repeat 50 S: 250-2.1.0 line $i
@model
@sink-on ^RCPT
S: 250-
@model
@sink-on ^DATA
S: 354-one
S: 354
@sink-on ^\. 
@bytes 250-2.0.0 
@repeat 900 @bytes x
S: 
S: 250
@messages 1..3
@run fetch
@sink-expect-handed 1..3
