/* SPDX-License-Identifier: MIT */
#include "wire/utf8.h"

int utf8_take(struct slice *s, uint32_t *cp_out)
{
    static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
    unsigned char c;
    size_t len;
    uint32_t cp;

    if (s->n == 0)
        return -1;
    c = (unsigned char)s->p[0];
    len = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
    if (len == 0 || s->n < len)
        return -1;
    cp = len == 1 ? c : c & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        unsigned char d = (unsigned char)s->p[i];
        if ((d & 0xc0) != 0x80)
            return -1;
        cp = cp << 6 | (d & 0x3f);
    }
    if (cp < smallest[len] || (cp >= 0xd800 && cp < 0xe000) || cp > 0x10ffff)
        return -1;
    *cp_out = cp;
    *s = slice_from(*s, len);
    return 0;
}

int utf8_put(struct buf *out, uint32_t cp)
{
    char b[4];

    if (cp < 0x80)
        return buf_put_char(out, (char)cp);
    if (cp < 0x800) {
        b[0] = (char)(0xc0 | cp >> 6);
        b[1] = (char)(0x80 | (cp & 0x3f));
        return buf_put(out, b, 2);
    }
    if (cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000))
        return -1;
    if (cp < 0x10000) {
        b[0] = (char)(0xe0 | cp >> 12);
        b[1] = (char)(0x80 | (cp >> 6 & 0x3f));
        b[2] = (char)(0x80 | (cp & 0x3f));
        return buf_put(out, b, 3);
    }
    b[0] = (char)(0xf0 | cp >> 18);
    b[1] = (char)(0x80 | (cp >> 12 & 0x3f));
    b[2] = (char)(0x80 | (cp >> 6 & 0x3f));
    b[3] = (char)(0x80 | (cp & 0x3f));
    return buf_put(out, b, 4);
}

bool utf8_valid(struct slice s)
{
    uint32_t cp;

    while (s.n > 0) {
        if (utf8_take(&s, &cp) != 0)
            return false;
    }
    return true;
}
