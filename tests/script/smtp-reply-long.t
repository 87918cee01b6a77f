# A refusal with a kilobyte of words, control characters and bytes that are no text.
# mailhaul must show them safely and cut short.
@sink smtp
@messages 1..2
@sink-on ^\. 2\b
@bytes 554 5.7.1 \x1b]0;evil\x07\xff\xfe
@repeat 500 @bytes ab
S: 
@run fetch
@expect-exit 65
@expect-not-stderr (ab){300}
@expect-quarantine 2
@sink-expect-handed 1
@run quarantine list
@sink-expect-handed 1
