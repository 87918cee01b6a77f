/* SPDX-License-Identifier: MIT */
#include "wire/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_encode(struct slice in, struct buf *out)
{
    size_t groups = in.n / 3 + (in.n % 3 != 0);
    const unsigned char *p = (const unsigned char *)in.p;
    char *o;

    if (groups > SIZE_MAX / 4 || buf_reserve(out, groups * 4) != 0)
        return -1;
    o = out->p + out->len;
    for (size_t left = in.n; left > 0; p += 3, o += 4) {
        uint32_t v = (uint32_t)p[0] << 16 | (uint32_t)(left > 1 ? p[1] : 0) << 8 | (left > 2 ? p[2] : 0);

        o[0] = alphabet[v >> 18];
        o[1] = alphabet[v >> 12 & 63];
        o[2] = '=';
        o[3] = '=';
        if (left > 1)
            o[2] = alphabet[v >> 6 & 63];
        if (left > 2)
            o[3] = alphabet[v & 63];
        left -= size_min(left, 3);
    }
    buf_grew(out, groups * 4);
    return 0;
}

static int digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four characters to one to three bytes; 0 when they are none. Bits that padding leaves over must be zero, so that
 * there is one spelling for each value. */
static size_t decode_group(const char *p, bool last, char bytes[3])
{
    size_t pad = !last || p[3] != '=' ? 0 : p[2] != '=' ? 1 : 2;
    uint32_t v = 0;

    for (size_t i = 0; i < 4; i++) {
        int d = i < 4 - pad ? digit(p[i]) : 0;
        if (d < 0)
            return 0;
        v = v << 6 | (uint32_t)d;
    }
    if (v & ((1u << (8 * pad)) - 1))
        return 0;
    bytes[0] = (char)(v >> 16 & 0xff);
    bytes[1] = (char)(v >> 8 & 0xff);
    bytes[2] = (char)(v & 0xff);
    return 3 - pad;
}

int base64_decode(struct slice in, struct buf *out)
{
    size_t start = out->len;

    if (in.n % 4 != 0)
        return -1;
    while (in.n > 0) {
        char bytes[3];
        size_t n = decode_group(in.p, in.n == 4, bytes);

        if (n == 0 || buf_put(out, bytes, n) != 0) {
            buf_truncate(out, start);
            return -1;
        }
        in = slice_from(in, 4);
    }
    return 0;
}
