/* SPDX-License-Identifier: MIT */
#include "wire/imap_write.h"

#include "wire/utf8.h"

/* Longer than this, a quoted string may not fit the line that a server reads; a literal always does. */
enum { QUOTED_MAX = 1000 };

enum imap_quoting imap_put_string(struct buf *out, struct slice value, bool utf8)
{
    size_t escapes = 0;
    bool literal = value.n > QUOTED_MAX, eight_bit = false;
    char *p;

    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];

        if (c == '\0')
            return IMAP_UNSENDABLE;
        literal = literal || c == '\r' || c == '\n';
        eight_bit = eight_bit || c >= 0x80;
        escapes += c == '"' || c == '\\' ? 1 : 0;
    }
    if (literal || (eight_bit && !(utf8 && utf8_valid(value))))
        return IMAP_NEEDS_LITERAL;
    if (buf_reserve(out, value.n + escapes + 2) != 0)
        return IMAP_UNSENDABLE;
    p = out->p + out->len;
    *p++ = '"';
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '"' || value.p[i] == '\\')
            *p++ = '\\';
        *p++ = value.p[i];
    }
    *p = '"';
    buf_grew(out, value.n + escapes + 2);
    return IMAP_QUOTED;
}
