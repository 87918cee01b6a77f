/* SPDX-License-Identifier: MIT */
#include "proto/pop3.h"

#include "base/log.h"
#include "proto/pop3_int.h"
#include "wire/limits.h"

enum {
    /* CONTRACT section 2: servers open the mailbox at the first STAT and UIDL. */
    FIRST_LOOK = 5,
    /* "DELE 4294967295" CRLF. */
    DELE_LINE = 17,
    DELE_WINDOW = LIMIT_IN_FLIGHT / DELE_LINE,
};

int pop3_ask_ahead(struct pop3 *p, unsigned asks, struct err *e)
{
    static const struct {
        unsigned ask;
        const char *line;
    } commands[] = {
        { POP3_ASK_CAPA, "CAPA\r\n" },
        { POP3_ASK_STAT, "STAT\r\n" },
        { POP3_ASK_UIDL, "UIDL\r\n" },
        { POP3_ASK_LIST, "LIST\r\n" },
    };

    if (!p->pipelining)
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if ((asks & commands[i].ask) != 0)
            stream_put(p->stream, slice_str(commands[i].line));
    }
    p->ahead |= asks;
    return stream_flush(p->stream, e) != 0 ? pop3_broken(p) : 0;
}

int pop3_stat(struct pop3 *p, uint32_t *count_out, uint64_t *octets_out, struct err *e)
{
    bool ahead = (p->ahead & POP3_ASK_STAT) != 0;
    struct pop3_reply reply;

    if (pop3_send(p, POP3_ASK_STAT, "STAT", e) != 0 || pop3_reply(p, FIRST_LOOK, ahead, &reply, e) != 0)
        return -1;
    if (reply.status == POP3_OK && pop3_parse_stat(reply.text, count_out, octets_out) == 0)
        return 0;
    if (reply.status == POP3_ERR)
        err_set(e, E_BUSY, "%s cannot open the mailbox now", pop3_host(p));
    else
        err_set(e, E_PROTO, "%s does not say how many messages there are (STAT)", pop3_host(p));
    err_peer(e, reply.text);
    return pop3_broken(p);
}

/* --- UIDL and LIST --- */

struct listing_reader {
    bool uidl; /* else LIST */
    struct digest *digest;
    pop3_entry_fn entry;
    void *ctx;
    bool trace, ended;
    size_t lines;
};

static int take_line(struct pop3 *p, struct listing_reader *r, struct slice line, struct err *e)
{
    struct pop3_entry entry = { .uidl = SLICE_NONE };
    int parsed;

    if (r->trace)
        stream_trace(p->stream, 'S', line);
    if (slice_eq(line, SLICE("."))) {
        r->ended = true;
        return 0;
    }
    if (r->lines++ == 2 * (size_t)LIMIT_LISTING)
        return err_set(e, E_PROTO, "%s lists messages without end", pop3_host(p));
    parsed = r->uidl ? pop3_parse_uidl_line(line, &entry.number, &entry.uidl)
                     : pop3_parse_list_line(line, &entry.number, &entry.octets);
    return parsed != 0 ? 0 : r->entry(r->ctx, &entry, e);
}

/* All whole lines that are in the buffer: twenty thousand of them pass by at each look, so they are neither copied nor
 * digested one by one. */
static int take_lines(struct pop3 *p, struct listing_reader *r, struct err *e)
{
    struct slice in = stream_peek(p->stream);
    size_t at = 0, listed = 0;
    const char *lf;
    int rc = 0;

    while (rc == 0 && !r->ended && at < in.n && (lf = memchr(in.p + at, '\n', in.n - at)) != NULL) {
        struct slice line = slice_make(in.p + at, (size_t)(lf - in.p) - at);

        if (line.n > 0 && line.p[line.n - 1] == '\r')
            line.n--;
        rc = take_line(p, r, line, e);
        at = (size_t)(lf - in.p) + 1;
        if (!r->ended)
            listed = at;
    }
    if (rc == 0 && !r->ended && in.n - at > LIMIT_LINE)
        rc = err_set(e, E_PROTO, "%s sent a line of more than %d bytes", pop3_host(p), (int)LIMIT_LINE);
    if (r->digest != NULL && listed > 0)
        digest_add(r->digest, slice_make(in.p, listed));
    stream_consume(p->stream, at);
    return rc;
}

static int read_listing(struct pop3 *p, struct listing_reader *r, struct err *e)
{
    r->trace = log_wants(LOG_LEVEL_TRACE);
    for (;;) {
        if (take_lines(p, r, e) != 0)
            return pop3_broken(p);
        if (r->ended)
            return 0;
        if (stream_fill(p->stream, e) != 0)
            return pop3_broken(p);
    }
}

int pop3_uidl(struct pop3 *p, struct digest *digest, pop3_entry_fn entry, void *ctx, bool *offered_out, struct err *e)
{
    bool ahead = (p->ahead & POP3_ASK_UIDL) != 0;
    struct listing_reader r = { .uidl = true, .digest = digest, .entry = entry, .ctx = ctx };
    struct pop3_reply reply;

    if (pop3_send(p, POP3_ASK_UIDL, "UIDL", e) != 0 || pop3_reply(p, FIRST_LOOK, ahead, &reply, e) != 0)
        return -1;
    if (reply.status == POP3_ERR && pop3_says_later(&reply)) {
        err_set(e, E_BUSY, "%s cannot list the mailbox now", pop3_host(p));
        err_peer(e, reply.text);
        return pop3_broken(p);
    }
    *offered_out = reply.status == POP3_OK;
    return *offered_out ? read_listing(p, &r, e) : 0;
}

int pop3_list(struct pop3 *p, pop3_entry_fn entry, void *ctx, bool *offered_out, struct err *e)
{
    bool ahead = (p->ahead & POP3_ASK_LIST) != 0;
    struct listing_reader r = { .entry = entry, .ctx = ctx };
    struct pop3_reply reply;

    if (pop3_send(p, POP3_ASK_LIST, "LIST", e) != 0 || pop3_reply(p, 1, ahead, &reply, e) != 0)
        return -1;
    *offered_out = reply.status == POP3_OK;
    return *offered_out ? read_listing(p, &r, e) : 0;
}

/* --- DELE and QUIT --- */

int pop3_dele(struct pop3 *p, size_t count, uint32_t (*number)(void *ctx, size_t i), void *ctx, size_t *refused_out,
              struct err *words, struct err *e)
{
    size_t window = p->pipelining ? DELE_WINDOW : 1, sent = 0;
    struct pop3_reply reply;

    *refused_out = 0;
    for (size_t answered = 0; answered < count; answered++) {
        if (sent - answered <= window / 2) {
            for (; sent < count && sent - answered < window; sent++)
                stream_putf(p->stream, "DELE %" PRIu32 "\r\n", number(ctx, sent));
            if (stream_flush(p->stream, e) != 0)
                return pop3_broken(p);
        }
        if (pop3_reply(p, 1, window > 1, &reply, e) != 0)
            return -1;
        if (reply.status != POP3_OK) {
            (*refused_out)++;
            err_peer(words, reply.text);
        }
    }
    return 0;
}

int pop3_quit(struct pop3 *p, struct err *e)
{
    struct pop3_reply reply;

    if (pop3_send(p, 0, "QUIT", e) != 0)
        return -1;
    p->quit = true;
    if (pop3_reply(p, 1, false, &reply, e) != 0)
        return -1;
    if (reply.status == POP3_OK)
        return 0;
    err_set(e, E_BUSY, "%s did not remove all that it was asked to remove", pop3_host(p));
    return err_peer(e, reply.text);
}
