/* SPDX-License-Identifier: MIT */
#include "haul/source_pop3.h"

#include <strings.h>

#include "base/log.h"
#include "base/stop.h"
#include "haul/pop3_listing.h"
#include "net/digest.h"
#include "proto/pop3.h"
#include "wire/header.h"
#include "wire/limits.h"

enum {
    REMOVE_MAX = 500,
    PORT_POP3 = 110,
    PORT_POP3S = 995,
    /* Gmail shows about 250 messages at a time; others that do the same have no name. */
    PART_MIN = 200,
    PART_MAX = 300,
    /* So many messages refused in a row, and none had in this session: it is the server, not the messages. */
    ALL_REFUSED = 10,
    /* A day: whatever a server says, mail is looked for. */
    LOGIN_DELAY_MAX_S = 86400,
};

struct source_pop3 {
    struct source source;
    struct server server;
    struct pop3 pop3;
    struct digest digest;
    struct header_scan header;
    bool gmail_host;
    bool part_seen;       /* the listings so far have a size that only servers have which show a part */
    bool no_uidl, no_top; /* by disable_extensions */
    bool can_pipeline;    /* an earlier session of this process saw PIPELINING: Gmail shows it only after login */
    bool in_top;          /* what failed is a TOP that tells messages apart */
    bool looked;          /* CAPA after login was asked in this session */
    bool retrieved;       /* RETR was sent in this session */
    bool had_any;         /* a message was had in it */
    unsigned refused;     /* so many were not */
};

static struct source_pop3 *of(struct source *s)
{
    return (struct source_pop3 *)s;
}

static int pop3_describe(const struct source *source, struct buf *out)
{
    const struct source_pop3 *s = (const struct source_pop3 *)source;
    const struct server *server = &s->server;
    bool implicit = server->tls == SERVER_TLS_IMPLICIT;

    if (buf_putf(out, "%s %s", implicit ? "pop3s" : "pop3",
                 server->dial.host != NULL ? server->dial.host : "through a tunnel") != 0)
        return -1;
    if (server->dial.host != NULL && server->dial.port != (implicit ? PORT_POP3S : PORT_POP3) &&
        buf_putf(out, " port %u", (unsigned)server->dial.port) != 0)
        return -1;
    if (server->tls == SERVER_TLS_STARTTLS && buf_put_str(out, " with STARTTLS") != 0)
        return -1;
    if (server->tls == SERVER_PLAINTEXT && buf_put_str(out, " without TLS") != 0)
        return -1;
    return buf_putf(out, ", %s%s", server->user != NULL ? "user " : "no user",
                    server->user != NULL ? server->user : "");
}

/* --- open and close --- */

static void pop3_close(struct source *source)
{
    struct source_pop3 *s = of(source);
    struct err e;

    /* Gmail hides at QUIT what was retrieved; the session that follows must not be faster than that. */
    if (source->lists_a_part && s->retrieved && s->pop3.stream != NULL && !s->pop3.quit && pop3_quit(&s->pop3, &e) != 0)
        log_debug("%s", e.text);
    s->can_pipeline = s->can_pipeline || s->pop3.pipelining;
    if (s->pop3.has_caps)
        source->login_delay_s =
            s->pop3.caps.login_delay < LOGIN_DELAY_MAX_S ? s->pop3.caps.login_delay : LOGIN_DELAY_MAX_S;
    pop3_release(&s->pop3);
}

static int enter(struct source_pop3 *s, bool ask_capa, struct err *e)
{
    pop3_init(&s->pop3, &s->server);
    s->looked = s->retrieved = s->in_top = s->had_any = false;
    s->refused = 0;
    s->pop3.no_pipelining = (s->source.quirks & QUIRK_NO_PIPELINING) != 0;
    if (pop3_connect(&s->pop3, e) != 0 || (ask_capa && pop3_capa(&s->pop3, e) != 0) || pop3_login(&s->pop3, e) != 0)
        return -1;
    s->pop3.pipelining = (s->pop3.pipelining || s->can_pipeline) && !s->pop3.no_pipelining;
    return 0;
}

static bool is_breakdown(const struct err *e)
{
    return e->code == E_NET || e->code == E_TIMEOUT || e->code == E_PROTO;
}

static int pop3_open(struct source *source, struct err *e)
{
    struct source_pop3 *s = of(source);

    pop3_close(source);
    if ((source->quirks & QUIRK_NO_CAPA) != 0)
        return enter(s, false, e);
    if (enter(s, true, e) == 0)
        return 0;
    if (!s->pop3.in_capa || !is_breakdown(e))
        return -1;
    log_info("%s: the server is not asked for its capabilities (CAPA) any more", e->text);
    pop3_close(source);
    if (enter(s, false, e) != 0)
        return -1;
    source->quirks |= QUIRK_NO_CAPA;
    return 0;
}

static void pop3_free(struct source *source)
{
    struct source_pop3 *s = of(source);

    if (s == NULL)
        return;
    pop3_release(&s->pop3);
    digest_release(&s->digest);
    header_release(&s->header);
    free(s);
}

static int pop3_scan(struct source *source, bool (*wanted)(void *ctx, const struct source_folder *f), void *ctx,
                     struct source_folders *out, struct err *e)
{
    struct source_folder inbox = { .name = (char *)"INBOX" };

    (void)source;
    (void)wanted;
    (void)ctx;
    return source_folders_add(out, &inbox, e);
}

/* Commands ahead of their replies confused this server: nothing is, from now on. */
static void pipelining_failed(struct source_pop3 *s, struct err *e)
{
    if (!s->pop3.out_of_step)
        return;
    s->source.quirks |= QUIRK_NO_PIPELINING;
    s->can_pipeline = false;
    err_ctx(e, "pipelining was offered and does not work, so it is not used any more");
    err_retry(e, RETRY_RECONNECT);
}

/* --- header blocks --- */

struct headers {
    struct source_pop3 *s;
    const struct fetch_item *items;
    int (*got)(void *ctx, const struct fetch_item *item, const struct header_facts *facts, struct err *e);
    void *ctx;
};

static uint32_t headers_number(void *ctx, size_t i)
{
    return ((struct headers *)ctx)->items[i].number;
}

static int headers_begin(void *ctx, size_t i, struct err *e)
{
    struct headers *h = ctx;

    (void)i;
    header_clear(&h->s->header);
    if (digest_start(&h->s->digest, e) != 0)
        return -1;
    return stop_requested() != 0 ? err_set(e, E_STOPPED, "stopped") : 0;
}

static int headers_data(void *ctx, struct slice run, struct err *e)
{
    struct headers *h = ctx;

    (void)e;
    run.n = header_feed(&h->s->header, run);
    digest_add(&h->s->digest, run);
    return 0;
}

static int headers_done(void *ctx, size_t i, struct err *e)
{
    struct headers *h = ctx;
    struct header_facts facts = { .octets = h->items[i].octets };

    header_end(&h->s->header);
    digest_finish(&h->s->digest, facts.digest);
    facts.message_id = buf_slice(&h->s->header.message_id);
    return h->got(h->ctx, &h->items[i], &facts, e);
}

static int headers_refused(void *ctx, size_t i, const struct pop3_reply *reply, struct err *e)
{
    struct headers *h = ctx;

    (void)e;
    log_debug("message %" PRIu32 ": TOP refused: %.*s", h->items[i].number, SLICE_ARG(reply->text));
    return 0;
}

static int headers_spoilt(void *ctx, size_t i, struct err *e)
{
    (void)ctx;
    (void)i;
    (void)e;
    return 0;
}

static void headers_cut(void *ctx)
{
    (void)ctx;
}

static int pop3_headers(struct source *source, const struct fetch_item *items, size_t count,
                        int (*got)(void *ctx, const struct fetch_item *item, const struct header_facts *facts,
                                   struct err *e),
                        void *ctx, struct err *e)
{
    struct source_pop3 *s = of(source);
    struct headers h = { s, items, got, ctx };
    const struct pop3_taker taker = {
        .number = headers_number,
        .begin = headers_begin,
        .data = headers_data,
        .done = headers_done,
        .refused = headers_refused,
        .spoilt = headers_spoilt,
        .cut = headers_cut,
        .ctx = &h,
    };

    if (pop3_retrieve(&s->pop3, POP3_HEADER, count, &taker, e) == 0)
        return 0;
    pipelining_failed(s, e);
    return -1;
}

/* --- listing --- */

struct apart {
    struct listing *l;
    const uint32_t *v;     /* entries that share their unique-id or have none */
    struct fetch_item *at; /* the same, as items */
    size_t told;
};

static int apart_got(void *ctx, const struct fetch_item *item, const struct header_facts *facts, struct err *e)
{
    struct apart *a = ctx;
    size_t i = (size_t)(item - a->at);

    a->told++;
    a->at[i].number = 0;
    return pop3_listing_rename(a->l, a->v[i], facts->digest, e);
}

/* Unique-ids that are not unique get a part of the message's own. The first TOP goes alone: where it is refused, so
 * would be the others. */
static int tell_apart(struct source_pop3 *s, struct listing *l, const uint32_t *v, size_t count, struct err *e)
{
    struct apart a = { .l = l, .v = v, .at = calloc(count, sizeof(struct fetch_item)) };
    int rc = -1;

    if (a.at == NULL) {
        err_nomem(e);
        goto out;
    }
    for (size_t i = 0; i < count; i++)
        a.at[i] = (struct fetch_item){ .number = l->v[v[i]].number, .octets = l->v[v[i]].octets };
    s->in_top = true;
    if (!s->no_top && (s->source.quirks & QUIRK_NO_TOP) == 0 &&
        pop3_headers(&s->source, a.at, 1, apart_got, &a, e) != 0)
        goto out;
    if (a.told > 0 && pop3_headers(&s->source, a.at + 1, count - 1, apart_got, &a, e) != 0)
        goto out;
    s->in_top = false;
    for (size_t i = 0; i < count; i++) {
        if (a.at[i].number != 0 && pop3_listing_rename(l, v[i], NULL, e) != 0)
            goto out;
    }
    rc = pop3_listing_number_twins(l, v, count, e);
out:
    free(a.at);
    return rc;
}

static int make_unique(struct source_pop3 *s, struct listing *l, struct err *e)
{
    uint32_t *v = NULL;
    size_t count = 0;
    int rc = 0;

    if (pop3_listing_shared(l, &v, &count, e) != 0)
        return -1;
    if (count > 0) {
        log_info("%zu messages have a unique-id that is blank or not unique: their headers tell them apart", count);
        rc = tell_apart(s, l, v, count, e);
    }
    free(v);
    return rc;
}

static bool is_unchanged(const struct list_request *request, const struct listing *l)
{
    const struct journal_folder *known = request->known;

    return !request->complete && known != NULL && known->id != 0 && known->settled && known->messages == l->messages &&
           known->octets == l->octets && memcmp(known->listing, l->digest, JOURNAL_SHA256) == 0;
}

/* Of commands that went out together the first was answered, and then there was silence: the server may have thrown the
 * others away. The next session tells. */
static int silent(struct source_pop3 *s, struct err *e)
{
    if (s->pop3.pipelining && e->code == E_TIMEOUT) {
        s->source.quirks |= QUIRK_NO_PIPELINING;
        err_ctx(e, "after commands that were sent together, which is not done any more");
    }
    return -1;
}

/* CAPA once more after login (Gmail shows PIPELINING only then), STAT, UIDL, and LIST if `sizes`: in one round trip
 * where they may be pipelined. *uidl_out, *list_out: answered with a listing. */
static int ask(struct source_pop3 *s, struct pop3_listing *p, bool sizes, bool *uidl_out, bool *list_out, struct err *e)
{
    struct pop3 *pop3 = &s->pop3;
    struct listing *l = p->out;
    bool capa = pop3->has_caps && !s->looked;
    unsigned asks = POP3_ASK_STAT | (s->no_uidl ? 0 : POP3_ASK_UIDL) | (sizes ? POP3_ASK_LIST : 0);

    s->looked = true;
    *uidl_out = *list_out = false;
    if (digest_start(&s->digest, e) != 0)
        return -1;
    if (capa && !pop3->pipelining) {
        if (pop3_capa(pop3, e) != 0)
            return -1;
        capa = false;
    }
    if (pop3_ask_ahead(pop3, asks | (capa ? POP3_ASK_CAPA : 0), e) != 0 || (capa && pop3_capa(pop3, e) != 0))
        return -1;
    if (pop3_stat(pop3, &l->messages, &l->octets, e) != 0)
        return capa ? silent(s, e) : -1;
    if (l->messages > LIMIT_LISTING)
        return err_set(e, E_PROTO, "the server speaks of %" PRIu32 " messages, more than any mailbox holds",
                       l->messages);
    p->count = l->messages;
    if (l->messages == 0 && !pop3->pipelining) {
        *uidl_out = *list_out = true;
    } else {
        if (!s->no_uidl && pop3_uidl(pop3, &s->digest, pop3_listing_uidl, p, uidl_out, e) != 0)
            return silent(s, e);
        pop3_listing_order(p);
        p->has_uidl = *uidl_out;
        if (sizes && pop3_list(pop3, pop3_listing_size, p, list_out, e) != 0)
            return silent(s, e);
    }
    digest_finish(&s->digest, l->digest);
    return 0;
}

/* By name; or, as long as this process has only seen such listings, by the count of them. */
static void note_part(struct source_pop3 *s, const struct list_request *request, const struct listing *l)
{
    bool first = request->known == NULL || request->known->id == 0;

    s->part_seen = (s->part_seen || first) && l->messages >= PART_MIN && l->messages <= PART_MAX;
    s->source.lists_a_part = s->gmail_host || s->pop3.gmail || s->part_seen;
}

static int look(struct source_pop3 *s, const struct list_request *request, struct listing *out, struct err *e)
{
    bool sizes = request->complete || request->known == NULL || request->known->id == 0, uidl, list;
    struct pop3_listing p = { .out = out };

    listing_clear(out);
    out->complete = true;
    pop3_listing_start(&p, out);
    if (ask(s, &p, sizes, &uidl, &list, e) != 0)
        return -1;
    note_part(s, request, out);
    out->no_unique_ids = !uidl && out->messages > 0;
    if (uidl && is_unchanged(request, out)) {
        out->count = 0;
        out->unchanged = true;
        return 0;
    }
    if (!sizes && out->messages > 0 && pop3_list(&s->pop3, pop3_listing_size, &p, &list, e) != 0)
        return -1;
    if (!uidl && !list && out->messages > 0)
        return err_set(e, E_LACKS, "the server can list its messages neither by UIDL nor by LIST");
    pop3_listing_order(&p);
    if (p.odd > 0)
        log_info("%zu lines of the server's listing make no sense and are ignored", p.odd);
    return make_unique(s, out, e);
}

/* What the server turned out not to stand is left out from now on. Two such things may be found one after the other. */
static int pop3_list_folder(struct source *source, const struct list_request *request, struct listing *out,
                            struct err *e)
{
    struct source_pop3 *s = of(source);

    for (;;) {
        unsigned known = source->quirks;

        if (look(s, request, out, e) == 0)
            return 0;
        if (s->pop3.out_of_step)
            pipelining_failed(s, e);
        else if (s->in_top && e->code == E_PROTO)
            source->quirks |= QUIRK_NO_TOP;
        else
            return -1;
        if (source->quirks == known)
            return -1;
        log_info("%s", e->text);
        if (pop3_open(source, e) != 0)
            return -1;
    }
}

/* --- bodies --- */

struct bodies {
    struct source_pop3 *s;
    const struct fetch_item *items;
    struct intake *in;
    const struct fetch_item *current;
};

static uint32_t bodies_number(void *ctx, size_t i)
{
    return ((struct bodies *)ctx)->items[i].number;
}

static int bodies_begin(void *ctx, size_t i, struct err *e)
{
    struct bodies *b = ctx;

    if (stop_requested() != 0)
        return err_set(e, E_STOPPED, "stopped");
    b->current = &b->items[i];
    if (!b->s->pop3.pipelining) {
        stream_expect(b->s->pop3.stream, 0);
        stream_expect(b->s->pop3.stream, b->current->octets);
    }
    return intake_begin(b->in, e);
}

static int cannot_have(struct bodies *b, const char *why, struct slice words, struct err *e)
{
    struct err failed;

    err_set(&failed, E_MESSAGE, "%s", why);
    err_peer(&failed, words);
    return intake_failed(b->in, b->current, &failed, e);
}

static int bodies_data(void *ctx, struct slice run, struct err *e)
{
    struct bodies *b = ctx;
    uint64_t listed = b->current->octets, so_far = intake_octets(b->in) + run.n;

    if (so_far > LIMIT_MESSAGE_OCTETS ||
        (listed > 0 && so_far > LIMIT_OCTETS_SLACK && so_far - LIMIT_OCTETS_SLACK > listed * LIMIT_OCTETS_FACTOR)) {
        if (cannot_have(b, "the message is far longer than the server said, perhaps without end", SLICE_NONE, e) == 0)
            err_set(e, E_PROTO, "message %" PRIu32 " is far longer than the server said: %" PRIu64 " octets and no end",
                    b->current->number, so_far);
        return err_retry(e, RETRY_RECONNECT);
    }
    return intake_data(b->in, run, e);
}

/* A reply too many, and each body comes under the name of the message behind it. */
static bool is_shifted(const struct bodies *b, const struct fetch_item *before, const struct fetch_item *item)
{
    uint64_t octets = intake_octets(b->in);

    return b->s->pop3.pipelining && octets != item->octets && octets == before->octets && octets > 0;
}

static int bodies_done(void *ctx, size_t i, struct err *e)
{
    static const struct arrival nothing_told = { .object_id = SLICE_NONE };
    struct bodies *b = ctx;

    if (i > 0 && is_shifted(b, &b->items[i - 1], &b->items[i])) {
        b->s->pop3.out_of_step = true;
        intake_drop(b->in);
        return err_set(e, E_PROTO, "the server sent message %" PRIu32 " once more instead of the next",
                       b->items[i - 1].number);
    }
    if (intake_octets(b->in) == 0 && b->items[i].octets > 0)
        return cannot_have(b, "the server sent an empty message, though it lists one that is not", SLICE_NONE, e);
    b->s->had_any = true;
    return intake_done(b->in, &b->items[i], &nothing_told, e);
}

static int bodies_refused(void *ctx, size_t i, const struct pop3_reply *reply, struct err *e)
{
    struct bodies *b = ctx;

    b->current = &b->items[i];
    if (cannot_have(b, "the server refused to send the message", reply->text, e) != 0)
        return -1;
    if (b->s->had_any || ++b->s->refused < ALL_REFUSED)
        return 0;
    return err_set(e, E_BUSY, "the server refuses one message after the other; the rest is left for later");
}

static int bodies_spoilt(void *ctx, size_t i, struct err *e)
{
    struct bodies *b = ctx;

    (void)i;
    return cannot_have(b, "more bytes followed the message than were asked for, so where it ends is not sure",
                       SLICE_NONE, e);
}

static void bodies_cut(void *ctx)
{
    intake_drop(((struct bodies *)ctx)->in);
}

static int pop3_fetch(struct source *source, const struct fetch_item *items, size_t count, struct intake *in,
                      struct err *e)
{
    struct source_pop3 *s = of(source);
    struct bodies b = { .s = s, .items = items, .in = in };
    uint64_t octets = 0;
    const struct pop3_taker taker = {
        .number = bodies_number,
        .begin = bodies_begin,
        .data = bodies_data,
        .done = bodies_done,
        .refused = bodies_refused,
        .spoilt = bodies_spoilt,
        .cut = bodies_cut,
        .ctx = &b,
    };

    s->retrieved = true;
    for (size_t i = 0; i < count; i++)
        octets += s->pop3.pipelining ? items[i].octets : 0;
    stream_expect(s->pop3.stream, octets);
    if (pop3_retrieve(&s->pop3, POP3_WHOLE, count, &taker, e) == 0) {
        stream_expect(s->pop3.stream, 0);
        return 0;
    }
    pipelining_failed(s, e);
    return -1;
}

/* --- removal --- */

static uint32_t item_number(void *ctx, size_t i)
{
    return ((const struct fetch_item *)ctx)[i].number;
}

static int pop3_remove(struct source *source, const struct fetch_item *items, size_t count,
                       enum remove_result *result_out, struct err *e)
{
    struct source_pop3 *s = of(source);
    struct err words = ERR_INIT;
    size_t refused = 0;
    int rc;

    rc = pop3_dele(&s->pop3, count, item_number, (void *)items, &refused, &words, e);
    if (rc == 0)
        rc = pop3_quit(&s->pop3, e);
    if (rc != 0)
        err_ctx(e, "removing %zu messages: what is gone will be settled by the next listing", count);
    if (rc != 0)
        pipelining_failed(s, e);
    pop3_release(&s->pop3);
    if (rc != 0)
        return -1;
    if (refused > 0) {
        err_set(e, E_BUSY,
                "the server did not remove %zu of %zu messages: what is gone will be settled by the next listing",
                refused, count);
        memcpy(e->peer, words.peer, sizeof(e->peer));
        return -1;
    }
    *result_out = REMOVE_DONE;
    return 0;
}

static const struct source_ops pop3_ops = {
    .protocol = "pop3",
    .describe = pop3_describe,
    .open = pop3_open,
    .scan = pop3_scan,
    .list = pop3_list_folder,
    .fetch = pop3_fetch,
    .headers = pop3_headers,
    .remove = pop3_remove,
    .close = pop3_close,
    .free = pop3_free,
};

/* --- making one --- */

static bool ends_in(const char *host, const char *domain)
{
    size_t n = host != NULL ? strlen(host) : 0, m = strlen(domain);

    return n >= m && strcasecmp(host + n - m, domain) == 0;
}

struct source *source_pop3_new(const struct server *server, struct err *e)
{
    struct source_pop3 *s = calloc(1, sizeof(*s));

    if (s == NULL) {
        err_nomem(e);
        return NULL;
    }
    if (digest_init(&s->digest, e) != 0) {
        free(s);
        return NULL;
    }
    s->source = (struct source){ .ops = &pop3_ops, .remove_max = REMOVE_MAX, .one_folder = true };
    s->server = *server;
    s->gmail_host = ends_in(server->dial.host, "pop.gmail.com") || ends_in(server->dial.host, "pop.googlemail.com");
    for (size_t i = 0; server->disabled != NULL && server->disabled[i] != NULL; i++) {
        uint32_t bits = pop3_cap_from_name(slice_str(server->disabled[i]));
        s->no_uidl = s->no_uidl || (bits & POP3_CAP_UIDL) != 0;
        s->no_top = s->no_top || (bits & POP3_CAP_TOP) != 0;
    }
    header_init(&s->header);
    pop3_init(&s->pop3, server);
    return &s->source;
}

const struct stream *source_pop3_stream(const struct source *s)
{
    const struct source_pop3 *p = (const struct source_pop3 *)s;

    return p->pop3.stream;
}
