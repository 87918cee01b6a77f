/* SPDX-License-Identifier: MIT */
#include "wire/dot.h"

enum { LINE_START, DOT, DOT_CR, MIDDLE, AFTER_CR, ENDED };

/* Everything up to a dot that stands behind CRLF, or all there is. The first two bytes cannot be such a dot here: what
 * came before them is known not to be the first part of CRLF. */
static struct slice take_run(struct dot *d, struct slice *in)
{
    const char *from = in->p, *end = in->p + in->n, *hit = from;
    struct slice run = *in;

    while ((hit = memchr(hit, '.', (size_t)(end - hit))) != NULL) {
        if (hit - from >= 2 && hit[-1] == '\n' && hit[-2] == '\r') {
            run.n = (size_t)(hit - from);
            *in = slice_from(*in, run.n + 1);
            d->state = DOT;
            return run;
        }
        hit++;
    }
    if (end[-1] == '\r')
        d->state = AFTER_CR;
    else if (run.n >= 2 && end[-1] == '\n' && end[-2] == '\r')
        d->state = LINE_START;
    else
        d->state = MIDDLE;
    *in = slice_from(*in, in->n);
    return run;
}

enum dot_event dot_next(struct dot *d, struct slice *in, struct slice *run_out)
{
    while (in->n > 0) {
        char c = in->p[0];

        if (d->state == ENDED) {
            return DOT_END;
        } else if (d->state == LINE_START && c == '.') {
            d->state = DOT;
            *in = slice_from(*in, 1);
        } else if (d->state == DOT && c == '\r') {
            d->state = DOT_CR;
            *in = slice_from(*in, 1);
        } else if (d->state == DOT_CR && c == '\n') {
            d->state = ENDED;
            *in = slice_from(*in, 1);
            return DOT_END;
        } else if (d->state == DOT_CR) {
            d->state = MIDDLE;
            *run_out = SLICE("\r");
            return DOT_RUN;
        } else if (d->state == AFTER_CR && c == '\n') {
            d->state = LINE_START;
            *run_out = slice_make(in->p, 1);
            *in = slice_from(*in, 1);
            return DOT_RUN;
        } else {
            *run_out = take_run(d, in);
            return DOT_RUN;
        }
    }
    return d->state == ENDED ? DOT_END : DOT_MORE;
}
