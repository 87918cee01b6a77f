/* SPDX-License-Identifier: MIT */
#include "wire/crlf.h"

/* One call's input and output. No LF stands in [p, lf), no CR in [p, cr): each byte is searched once for either,
 * however the two alternate. */
struct run {
    const char *p, *end, *lf, *cr;
    char *out;
    size_t n, room;
};

static bool put_two(struct run *r, const char *two)
{
    if (r->room - r->n < 2)
        return false;
    memcpy(r->out + r->n, two, 2);
    r->n += 2;
    return true;
}

static const char *search(const struct run *r, char c, size_t n)
{
    const char *hit = memchr(r->p, c, n);

    return hit != NULL ? hit : r->p + n;
}

/* False: no room for a single byte. */
static bool put_plain(struct run *r, bool with_cr)
{
    size_t n = size_min((size_t)(r->end - r->p), r->room - r->n);

    if (n == 0)
        return false;
    if (r->lf <= r->p)
        r->lf = search(r, '\n', n);
    if (with_cr)
        r->cr = r->end;
    else if (r->cr <= r->p)
        r->cr = search(r, '\r', n);
    n = size_min(n, size_min((size_t)(r->lf - r->p), (size_t)(r->cr - r->p)));
    memcpy(r->out + r->n, r->p, n);
    r->n += n;
    r->p += n;
    return true;
}

/* The byte behind a run of CRs tells what the run is. It stays where it is until all of them are written, so that a
 * call that runs out of room finds it again. */
static bool settle_crs(struct crlf *c, struct run *r)
{
    if (*r->p == '\r') {
        c->crs++;
        r->p++;
        return true;
    }
    if (*r->p == '\n')
        c->crs = 1;
    for (; c->crs > 0; c->crs--) {
        if (!put_two(r, "\r\n"))
            return false;
    }
    c->mid_line = false;
    if (*r->p == '\n')
        r->p++;
    return true;
}

static bool put_next(struct crlf *c, struct run *r)
{
    if (c->crs > 0)
        return settle_crs(c, r);
    if (*r->p == '\r' && c->form != CRLF_EXACT) {
        c->crs = 1;
        r->p++;
        return true;
    }
    if (*r->p == '\n') {
        if (!put_two(r, "\r\n"))
            return false;
        c->mid_line = false;
        r->p++;
        return true;
    }
    if (*r->p == '.' && c->form == CRLF_DATA && !c->mid_line) {
        if (!put_two(r, ".."))
            return false;
        c->mid_line = true;
        r->p++;
        return true;
    }
    if (!put_plain(r, c->form == CRLF_EXACT))
        return false;
    c->mid_line = true;
    return true;
}

size_t crlf_put(struct crlf *c, struct slice *in, char *out, size_t room)
{
    struct run r = { .p = in->p, .lf = in->p, .cr = in->p, .out = out, .room = room };

    if (in->n == 0)
        return 0;
    r.end = in->p + in->n;
    while (r.p < r.end && put_next(c, &r))
        ;
    *in = slice_make(r.p, (size_t)(r.end - r.p));
    return r.n;
}

size_t crlf_end(struct crlf *c, char *out)
{
    bool due = c->form != CRLF_EXACT && (c->mid_line || c->crs > 0);

    c->mid_line = false;
    c->crs = 0;
    if (due)
        memcpy(out, "\r\n", 2);
    return due ? 2 : 0;
}
