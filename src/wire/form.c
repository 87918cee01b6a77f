/* SPDX-License-Identifier: MIT */
#include "wire/form.h"

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || ascii_isdigit(c) || c == '-' || c == '.' || c == '_' ||
           c == '~';
}

int form_put(struct buf *out, const char *name, struct slice value)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t before = out->len;
    bool first = before == 0 || out->p[before - 1] == '?';

    if (buf_putf(out, "%s%s=", first ? "" : "&", name) != 0)
        return -1;
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        char escaped[4] = { '%', hex[c >> 4], hex[c & 15], '\0' };

        if ((is_plain((char)c) ? buf_put_char(out, (char)c) : buf_put_str(out, escaped)) != 0) {
            buf_truncate(out, before);
            return -1;
        }
    }
    return 0;
}

static int hex_digit(char c)
{
    if (ascii_isdigit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool decode(struct slice in, struct buf *out)
{
    for (size_t i = 0; i < in.n; i++) {
        char c = in.p[i] == '+' ? ' ' : in.p[i];

        if (c == '%') {
            int high = in.n - i > 2 ? hex_digit(in.p[i + 1]) : -1, low = in.n - i > 2 ? hex_digit(in.p[i + 2]) : -1;

            if (high < 0 || low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (c == '\0' || buf_put_char(out, c) != 0)
            return false;
    }
    return true;
}

bool form_get(struct slice form, const char *name, struct buf *out)
{
    size_t before = out->len, found = 0;
    bool good = true;

    while (form.n > 0) {
        const char *end = memchr(form.p, '&', form.n), *equals;
        struct slice field = slice_make(form.p, end != NULL ? (size_t)(end - form.p) : form.n);

        form = slice_from(form, end != NULL ? field.n + 1 : field.n);
        equals = memchr(field.p, '=', field.n);
        if (equals == NULL || !slice_eq(slice_make(field.p, (size_t)(equals - field.p)), slice_str(name)))
            continue;
        found++;
        if (found == 1)
            good = decode(slice_from(field, (size_t)(equals + 1 - field.p)), out);
    }
    if (found == 1 && good)
        return true;
    buf_truncate(out, before);
    return false;
}
