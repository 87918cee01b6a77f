/* SPDX-License-Identifier: MIT */
#include "proto/pop3.h"

#include "proto/pop3_int.h"
#include "wire/dot.h"
#include "wire/limits.h"

enum {
    /* "RETR 4294967295" CRLF, "TOP 4294967295 0" CRLF. */
    COMMAND_LINE = 18,
    WINDOW = LIMIT_IN_FLIGHT / COMMAND_LINE,
};

struct retrieval {
    struct pop3 *p;
    enum pop3_part part;
    const struct pop3_taker *taker;
    size_t count, sent, answered;
    size_t window; /* commands whose reply was not read to its end */
};

/* Refilled at the half, so that many commands share one write. */
static int send_ahead(struct retrieval *r, struct err *e)
{
    bool whole = r->part == POP3_WHOLE;

    if (r->sent == r->count || r->sent - r->answered > r->window / 2)
        return 0;
    for (; r->sent < r->count && r->sent - r->answered < r->window; r->sent++)
        stream_putf(r->p->stream, "%s %" PRIu32 "%s\r\n", whole ? "RETR" : "TOP",
                    r->taker->number(r->taker->ctx, r->sent), whole ? "" : " 0");
    return stream_flush(r->p->stream, e) != 0 ? pop3_broken(r->p) : 0;
}

/* The dots are undone in place: runs of the read buffer go to the taker. */
static int body(struct retrieval *r, struct err *e)
{
    struct dot dot = DOT_INIT;
    struct stream *stream = r->p->stream;

    for (;;) {
        struct slice in = stream_peek(stream), run;
        size_t had = in.n;
        enum dot_event event;

        while ((event = dot_next(&dot, &in, &run)) == DOT_RUN) {
            if (r->taker->data(r->taker->ctx, run, e) != 0)
                return pop3_broken(r->p);
        }
        stream_consume(stream, had - in.n);
        if (event == DOT_END)
            return 0;
        if (stream_fill(stream, e) != 0)
            return pop3_broken(r->p);
    }
}

/* Looks at the line that comes next, without taking it. *reply_out tells whether it is a reply. */
static int peek_reply(struct pop3 *p, bool *reply_out, struct err *e)
{
    struct pop3_reply reply;

    for (;;) {
        struct slice in = stream_peek(p->stream);
        const char *lf = in.n > 0 ? memchr(in.p, '\n', in.n) : NULL;

        if (lf != NULL) {
            *reply_out =
                pop3_parse_reply(slice_make(in.p, (size_t)(lf - in.p)), &reply) == 0 && reply.status != POP3_CONTINUE;
            return 0;
        }
        if (in.n > LIMIT_LINE) {
            *reply_out = false;
            return 0;
        }
        if (stream_fill(p->stream, e) != 0)
            return pop3_broken(p);
    }
}

static int spoilt(struct retrieval *r, size_t i, struct err *e)
{
    pop3_broken(r->p);
    if (r->taker->spoilt(r->taker->ctx, i, e) != 0)
        return -1;
    err_set(e, E_PROTO, "%s sent more behind the end of message %" PRIu32 " than was asked for", pop3_host(r->p),
            r->taker->number(r->taker->ctx, i));
    return err_retry(e, RETRY_RECONNECT);
}

/* A message is believed to be whole only once a reply follows it, or nothing: a server that does not stuff dots would
 * otherwise have us keep the first half, and remove the rest. */
static int finish(struct retrieval *r, size_t i, struct err *e)
{
    struct pop3 *p = r->p;
    bool in_step = true, cut = false;
    struct err taken;

    r->answered = i + 1;
    if (r->sent == r->answered && stream_peek(p->stream).n > 0)
        return spoilt(r, i, e);
    if (send_ahead(r, e) != 0) {
        cut = true;
    } else if (r->sent > r->answered) {
        stream_exchange(p->stream, 1);
        cut = peek_reply(p, &in_step, e) != 0;
    }
    if (!in_step && r->window > 1) {
        r->taker->cut(r->taker->ctx);
        return pop3_no_status(p, true, stream_peek(p->stream), e);
    }
    if (!in_step)
        return spoilt(r, i, e);
    if (r->taker->done(r->taker->ctx, i, cut ? &taken : e) != 0) {
        if (cut)
            *e = taken;
        return pop3_broken(p);
    }
    return cut ? -1 : 0;
}

static int refused(struct retrieval *r, size_t i, const struct pop3_reply *reply, struct err *e)
{
    r->answered = i + 1;
    if (pop3_says_later(reply)) {
        err_set(e, E_BUSY, "%s cannot hand out messages now", pop3_host(r->p));
        err_peer(e, reply->text);
        return pop3_broken(r->p);
    }
    return r->taker->refused(r->taker->ctx, i, reply, e) != 0 ? pop3_broken(r->p) : 0;
}

int pop3_retrieve(struct pop3 *p, enum pop3_part part, size_t count, const struct pop3_taker *taker, struct err *e)
{
    struct retrieval r = { .p = p, .part = part, .taker = taker, .count = count, .window = p->pipelining ? WINDOW : 1 };
    struct pop3_reply reply;

    for (size_t i = 0; i < count; i++) {
        if (send_ahead(&r, e) != 0 || pop3_reply(p, 1, r.window > 1, &reply, e) != 0)
            return -1;
        if (reply.status != POP3_OK) {
            if (refused(&r, i, &reply, e) != 0)
                return -1;
            continue;
        }
        if (taker->begin(taker->ctx, i, e) != 0)
            return pop3_broken(p);
        if (body(&r, e) != 0) {
            taker->cut(taker->ctx);
            return -1;
        }
        if (finish(&r, i, e) != 0)
            return -1;
    }
    return 0;
}
