/* SPDX-License-Identifier: MIT
 * imap_trace.h - what imap_reader makes of a byte stream, as one text that can be compared. For unit tests and fuzz
 * targets (no cmocka in here).
 *
 *     RESPONSE    <text>\n           BODY_BEGIN   {n|<text so far>}
 *     BODY_DATA   its bytes          BODY_END     {end}
 *     BAD         {bad: why}, and nothing behind it
 *
 * Runs of BODY_DATA are joined, so the trace is the same at every chunk size.
 */
#ifndef MAILHAUL_IMAP_TRACE_H
#define MAILHAUL_IMAP_TRACE_H

#include "base/buf.h"
#include "wire/imap_reader.h"
#include "wire/limits.h"

static inline void trace_must(bool ok)
{
    if (!ok)
        abort();
}

/* Feeds one chunk and appends to `trace`. False once the reader says BAD. What the reader promises about its events is
 * checked on the way: a breach aborts. */
static inline bool trace_feed(struct imap_reader *r, struct slice in, struct buf *trace)
{
    enum imap_event event;
    size_t used;

    do {
        event = imap_reader_next(r, in, &used);
        trace_must(used <= in.n);
        trace_must(r->text.n <= LIMIT_RESPONSE && r->buf.len <= LIMIT_RESPONSE && r->buf.cap <= LIMIT_RESPONSE + 1);
        switch (event) {
        case IMAP_EV_MORE:
            trace_must(used == in.n);
            break;
        case IMAP_EV_RESPONSE:
            trace_must(buf_put_slice(trace, r->text) == 0 && buf_put_char(trace, '\n') == 0);
            break;
        case IMAP_EV_BODY_BEGIN:
            trace_must(r->body_octets <= LIMIT_MESSAGE_OCTETS);
            trace_must(buf_putf(trace, "{%" PRIu64 "|", r->body_octets) == 0);
            trace_must(buf_put_slice(trace, r->text) == 0 && buf_put_char(trace, '}') == 0);
            break;
        case IMAP_EV_BODY_DATA:
            trace_must(r->data.n > 0 && r->data.p >= in.p && r->data.p + r->data.n == in.p + used);
            trace_must(buf_put_slice(trace, r->data) == 0);
            break;
        case IMAP_EV_BODY_END:
            trace_must(buf_put_str(trace, "{end}") == 0);
            break;
        case IMAP_EV_BAD:
            trace_must(r->why != NULL && buf_putf(trace, "{bad: %s}", r->why) == 0);
            trace_must(imap_reader_next(r, slice_from(in, used), &used) == IMAP_EV_BAD);
            return false;
        }
        in = slice_from(in, used);
    } while (event != IMAP_EV_MORE);
    return true;
}

#endif
