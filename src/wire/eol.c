/* SPDX-License-Identifier: MIT */
#include "wire/eol.h"

size_t eol_to_lf(struct eol *s, struct slice in, char *out)
{
    const char *p = in.p, *end, *cr;
    char *o = out;

    if (in.n == 0)
        return 0;
    end = in.p + in.n;
    if (s->cr_held && *p != '\n')
        *o++ = '\r';
    s->cr_held = false;
    while ((cr = memchr(p, '\r', (size_t)(end - p))) != NULL) {
        size_t n = (size_t)(cr - p);

        memcpy(o, p, n);
        o += n;
        p = cr + 1;
        if (p == end) {
            s->cr_held = true;
            return (size_t)(o - out);
        }
        if (*p != '\n')
            *o++ = '\r';
    }
    memcpy(o, p, (size_t)(end - p));
    o += end - p;
    return (size_t)(o - out);
}

size_t eol_end(struct eol *s, char *out)
{
    size_t n = s->cr_held ? 1 : 0;

    if (s->cr_held)
        out[0] = '\r';
    s->cr_held = false;
    return n;
}
