/* SPDX-License-Identifier: MIT */
#include "wire/mailflag.h"

static const struct {
    enum mail_flag flag;
    char letter; /* '\0': none */
    struct slice imap;
} flags_known[] = {
    /* In ASCII order of the letters: programs that compare file names rely on it. */
    { MAIL_DRAFT, 'D', SLICE("\\Draft") },       { MAIL_FLAGGED, 'F', SLICE("\\Flagged") },
    { MAIL_ANSWERED, 'R', SLICE("\\Answered") }, { MAIL_SEEN, 'S', SLICE("\\Seen") },
    { MAIL_DELETED, '\0', SLICE("\\Deleted") },  { MAIL_RECENT, '\0', SLICE("\\Recent") },
};

size_t mailflag_letters(unsigned flags, char out[MAILFLAG_LETTERS])
{
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(flags_known); i++) {
        if (flags_known[i].letter != '\0' && (flags & flags_known[i].flag) != 0)
            out[n++] = flags_known[i].letter;
    }
    out[n] = '\0';
    return n;
}

unsigned mailflag_from_letters(struct slice letters)
{
    unsigned flags = 0;

    for (size_t i = 0; i < ARRAY_LEN(flags_known); i++) {
        if (flags_known[i].letter != '\0' && letters.n > 0 &&
            memchr(letters.p, flags_known[i].letter, letters.n) != NULL)
            flags |= flags_known[i].flag;
    }
    return flags;
}

unsigned mailflag_from_imap(struct slice name)
{
    for (size_t i = 0; i < ARRAY_LEN(flags_known); i++) {
        if (slice_ieq(name, flags_known[i].imap))
            return flags_known[i].flag;
    }
    return 0;
}
