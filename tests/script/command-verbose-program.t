# A program that writes megabytes, with control characters.
# mailhaul must neither show nor keep them, and must not wait for ever for a full pipe.
@sink command
@sink-program
head -c 3000000 /dev/zero | tr '\0' 'x'
printf '\n\033]0;evil\007 last words\n'
exit 65
@end
@messages 1..2
@run fetch
@expect-exit 65|76
@expect-stderr last words
@sink-expect-handed none
