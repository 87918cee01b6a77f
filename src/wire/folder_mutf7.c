/* SPDX-License-Identifier: MIT */
#include "wire/folder.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static bool is_plain(uint32_t cp)
{
    return cp >= 0x20 && cp <= 0x7e;
}

static bool is_hex(char c)
{
    char l = ascii_lower(c);

    return ascii_isdigit(c) || (l >= 'a' && l <= 'f');
}

/* RFC 3501 section 5.1: INBOX is the same folder in any case, and so are its children's beginnings. */
static void normalise_inbox(struct slice name, char delimiter, char *p)
{
    static const char inbox[] = "INBOX";

    if (slice_istarts(name, SLICE("INBOX")) && (name.n == 5 || (delimiter != '\0' && name.p[5] == delimiter)))
        memcpy(p, inbox, 5);
}

/* What folder_from_raw() writes: no well-formed name may look like it, or two folders would be one. */
static bool looks_raw(struct slice s)
{
    for (; s.n >= 4; s = slice_from(s, 1)) {
        if (s.p[0] == '\\' && s.p[1] == 'x' && is_hex(s.p[2]) && is_hex(s.p[3]))
            return true;
    }
    return false;
}

/* The last steps of both decoders: checks the name that begins at `start` of `out`; on failure cuts it off. */
static int finish(struct buf *out, size_t start, char delimiter, int rc)
{
    struct slice name = slice_make(out->p != NULL ? out->p + start : NULL, out->len - start);

    if (rc != 0 || slice_has_nul(name) || looks_raw(name)) {
        buf_truncate(out, start);
        return -1;
    }
    if (name.n > 0)
        normalise_inbox(name, delimiter, out->p + start);
    return 0;
}

/* UTF-16 units as they come out of the base64 text. */
struct units {
    uint32_t high; /* a high surrogate that waits for its other half; 0: none */
    size_t count;
};

static int put_unit(struct units *u, uint32_t unit, struct buf *out)
{
    u->count++;
    if (u->high != 0) {
        uint32_t cp = 0x10000 + ((u->high - 0xd800) << 10) + (unit - 0xdc00);

        u->high = 0;
        return unit >= 0xdc00 && unit < 0xe000 ? utf8_put(out, cp) : -1;
    }
    if (unit >= 0xd800 && unit < 0xdc00) {
        u->high = unit;
        return 0;
    }
    return is_plain(unit) ? -1 : utf8_put(out, unit);
}

/* What stands between '&' and '-'; moves *in behind the '-'. -1: not the one spelling that the RFC allows. */
static int decode_shifted(struct slice *in, struct buf *out)
{
    struct units u = { 0 };
    uint32_t bits = 0;
    unsigned have = 0;
    size_t i = 0;

    for (; i < in->n && in->p[i] != '-'; i++) {
        const char *at = memchr(alphabet, in->p[i], sizeof(alphabet) - 1);

        if (at == NULL)
            return -1;
        bits = bits << 6 | (uint32_t)(at - alphabet);
        have += 6;
        if (have >= 16) {
            have -= 16;
            if (put_unit(&u, bits >> have & 0xffff, out) != 0)
                return -1;
            bits &= (1u << have) - 1;
        }
    }
    if (i == in->n || u.count == 0 || u.high != 0 || have >= 6 || bits != 0)
        return -1;
    *in = slice_from(*in, i + 1);
    return 0;
}

static int decode(struct slice in, struct buf *out)
{
    bool behind_shift = false;

    while (in.n > 0) {
        char c = in.p[0];

        in = slice_from(in, 1);
        if (c != '&') {
            behind_shift = false;
            if (!is_plain((unsigned char)c) || buf_put_char(out, c) != 0)
                return -1;
        } else if (in.n > 0 && in.p[0] == '-') {
            behind_shift = false;
            in = slice_from(in, 1);
            if (buf_put_char(out, '&') != 0)
                return -1;
        } else {
            if (behind_shift || decode_shifted(&in, out) != 0)
                return -1;
            behind_shift = true;
        }
    }
    return 0;
}

int folder_from_mutf7(struct slice wire, char delimiter, struct buf *out)
{
    size_t start = out->len;

    return finish(out, start, delimiter, decode(wire, out));
}

int folder_from_utf8(struct slice wire, char delimiter, struct buf *out)
{
    size_t start = out->len;

    return finish(out, start, delimiter, utf8_valid(wire) ? buf_put_slice(out, wire) : -1);
}

int folder_from_raw(struct slice wire, struct buf *out)
{
    size_t start = out->len;

    for (size_t i = 0; i < wire.n; i++) {
        unsigned char c = (unsigned char)wire.p[i];
        bool plain = is_plain(c) && c != '\\' && c != '&';

        if ((plain ? buf_put_char(out, (char)c) : buf_putf(out, "\\x%02x", c)) != 0) {
            buf_truncate(out, start);
            return -1;
        }
    }
    return 0;
}

struct shift {
    bool on;
    uint32_t bits;
    unsigned have;
};

static int shift_unit(struct shift *s, uint32_t unit, struct buf *out)
{
    if (!s->on && buf_put_char(out, '&') != 0)
        return -1;
    s->on = true;
    s->bits = s->bits << 16 | unit;
    s->have += 16;
    while (s->have >= 6) {
        s->have -= 6;
        if (buf_put_char(out, alphabet[s->bits >> s->have & 63]) != 0)
            return -1;
    }
    s->bits &= (1u << s->have) - 1;
    return 0;
}

static int shift_end(struct shift *s, struct buf *out)
{
    int rc = 0;

    if (s->on && s->have > 0)
        rc = buf_put_char(out, alphabet[s->bits << (6 - s->have) & 63]);
    if (s->on && rc == 0)
        rc = buf_put_char(out, '-');
    *s = (struct shift){ 0 };
    return rc;
}

static int encode_one(struct shift *s, uint32_t cp, struct buf *out)
{
    if (is_plain(cp)) {
        if (shift_end(s, out) != 0 || buf_put_char(out, (char)cp) != 0)
            return -1;
        return cp == '&' ? buf_put_char(out, '-') : 0;
    }
    if (cp >= 0x10000) {
        if (shift_unit(s, 0xd800 + ((cp - 0x10000) >> 10), out) != 0)
            return -1;
        return shift_unit(s, 0xdc00 + (cp & 0x3ff), out);
    }
    return shift_unit(s, cp, out);
}

int folder_to_mutf7(struct slice name, struct buf *out)
{
    struct shift s = { 0 };
    size_t start = out->len;
    uint32_t cp;

    if (slice_has_nul(name))
        return -1;
    while (name.n > 0) {
        if (utf8_take(&name, &cp) != 0 || encode_one(&s, cp, out) != 0)
            goto bad;
    }
    if (shift_end(&s, out) == 0)
        return 0;
bad:
    buf_truncate(out, start);
    return -1;
}
