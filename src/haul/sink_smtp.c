/* SPDX-License-Identifier: MIT */
#include "haul/sink_smtp.h"

#include <stdio.h>
#include <unistd.h>

#include "haul/sink_smtp_int.h"
#include "net/tls_tell.h"

static struct smtp_sink *self(struct sink *s)
{
    return (struct smtp_sink *)s;
}

static int smtp_sink_describe(const struct sink *sink, struct buf *out)
{
    const struct smtp_sink *s = (const struct smtp_sink *)sink;

    return buf_putf(out, "%s %s", s->options.lmtp ? "LMTP" : "SMTP", s->label);
}

static int smtp_sink_open(struct sink *sink, const char *tag, const struct journal_sink *known, bool read_only,
                          bool adopt, char *marker_out, struct err *e)
{
    struct smtp_sink *s = self(sink);

    (void)tag;
    (void)known;
    (void)adopt;
    (void)e;
    marker_out[0] = '\0';
    if (!read_only && s->route != NULL)
        smtp_route_may_write(s->route);
    return 0;
}

static int smtp_sink_ready(struct sink *sink, struct err *e)
{
    struct smtp_lane *l = &self(sink)->lanes[0];

    if (l->smtp != NULL && smtp_alive(l->smtp))
        return 0;
    smtp_close(&l->smtp);
    return smtp_lane_open(l, e);
}

static void smtp_sink_close(struct sink *sink)
{
    struct smtp_sink *s = self(sink);

    for (size_t i = 0; i < SMTP_LANES_MAX; i++)
        smtp_lane_close(&s->lanes[i]);
    s->failures = 0;
}

/* --- check --connect --- */

/* Whom mail would be for, as far as that is known without a message. */
static size_t known_recipients(const struct envelope_rules *rules, struct smtp_recipient *out, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; rules->to != NULL && rules->to[i] != NULL && n < size; i++)
        out[n++].address = slice_str(rules->to[i]);
    if (n == 0 && rules->to_fallback != NULL)
        out[n++].address = slice_str(rules->to_fallback);
    return n;
}

static int refusal(const struct smtp_sink *s, const struct smtp_reply *reply, const char *what, struct slice whom,
                   struct err *e)
{
    if (smtp_login_wanted(s, reply, e) != 0)
        return -1;
    err_set(e, reply->code / 100 == 5 ? E_REJECTED : E_BUSY, "%s takes no mail %s %.*s%s", s->label, what,
            SLICE_ARG(whom), reply->code / 100 == 5 ? "" : " now");
    return err_peer(e, slice_str(reply->words));
}

/* Tells of those whom it takes mail for; an error for the first of the others. */
static int tell_recipients(struct smtp_sink *s, const struct smtp_message *m, const char *where, sink_tell_fn *tell,
                           void *ctx, struct err *e)
{
    struct buf line = BUF_INIT(ERR_TEXT_MAX);
    int rc = 0;

    for (size_t i = 0; i < m->recipient_count; i++) {
        const struct smtp_recipient *r = &m->recipients[i];

        buf_clear(&line);
        if (r->accepted && buf_putf(&line, "%s, takes mail for %.*s", where, SLICE_ARG(r->address)) == 0)
            tell(ctx, buf_cstr(&line));
        else if (!r->accepted && rc == 0)
            rc = refusal(s, &r->reply, "for", r->address, e);
    }
    buf_release(&line);
    return rc;
}

static int probe(struct smtp_sink *s, const char *where, sink_tell_fn *tell, void *ctx, struct err *e)
{
    const char *from = s->options.rules.from;
    struct smtp_message m = { .sender = slice_str(from != NULL ? from : "") };
    int rc = -1;

    m.recipients = calloc(ENVELOPE_RECIPIENTS_MAX, sizeof(*m.recipients));
    if (m.recipients == NULL)
        return err_nomem(e);
    m.recipient_count = known_recipients(&s->options.rules, m.recipients, ENVELOPE_RECIPIENTS_MAX);
    if (m.recipient_count == 0) {
        tell(ctx, where);
        rc = 0;
    } else if (smtp_probe(s->lanes[0].smtp, &m, e) == 0) {
        rc = m.mail.code / 100 == 2 ? tell_recipients(s, &m, where, tell, ctx, e)
                                    : refusal(s, &m.mail, "from", from != NULL ? m.sender : SLICE("<>"), e);
    }
    free(m.recipients);
    return rc;
}

/* What made its certificate the right one, where that is worth a word. */
static const char *proved_by(const struct smtp_sink *s)
{
    static const char *const words[] = { [SMTP_PROOF_CERTIFICATE] = ", proved by its certificate alone",
                                         [SMTP_PROOF_DANE] = ", proved by DANE",
                                         [SMTP_PROOF_MTA_STS] = ", proved by MTA-STS and its certificate" };
    enum smtp_proof proof = s->lanes[0].hop.proof;

    if (s->options.server->tls_settings.fingerprint_count > 0)
        return "";
    return s->options.domain != NULL || proof != SMTP_PROOF_CERTIFICATE ? words[proof] : "";
}

static int smtp_sink_check(struct sink *sink, sink_tell_fn *tell, void *ctx, struct err *e)
{
    struct smtp_sink *s = self(sink);
    const struct tls_facts *tls;
    char where[SMTP_LABEL_MAX + HOST_MAX + 128];
    int rc = smtp_sink_ready(sink, e);

    if (rc == 0) {
        tls = smtp_tls(s->lanes[0].smtp);
        snprintf(where, sizeof(where), "%s %s%s%s%s%s%s", s->sink.ops->type, s->label,
                 s->options.domain != NULL ? ", " : "", s->options.domain != NULL ? s->lanes[0].hop.host : "",
                 tls != NULL ? ", " : "", tls != NULL ? tls->protocol : "", proved_by(s));
        tls_tell(smtp_stream(s->lanes[0].smtp), tell, ctx);
        rc = probe(s, where, tell, ctx, e);
    }
    smtp_sink_close(sink);
    return rc;
}

/* --- messages --- */

static int smtp_sink_finish(struct sink *sink, const struct sink_message *message, struct sink_slot *slot,
                            struct err *e)
{
    struct smtp_slot *own = calloc(1, sizeof(*own));

    (void)sink;
    if (own == NULL)
        return err_nomem(e);
    own->file = spool_keep(message->file);
    slot->state = DELIVERY_WANTED;
    slot->own = own;
    return 0;
}

static void smtp_sink_discard(struct sink *sink, struct sink_slot *slot)
{
    struct smtp_slot *own = slot->own;

    (void)sink;
    if (own == NULL)
        return;
    spool_release(&own->file);
    free(own);
    slot->own = NULL;
}

static int smtp_sink_commit(struct sink *sink, struct sink_slot *const *slots, size_t count,
                            const struct sink_record *record, struct err *e)
{
    struct smtp_sink *s = self(sink);
    struct smtp_work w = { .sink = s, .slots = slots, .count = count, .record = record };
    bool left;

    for (size_t i = 0; i < count; i++)
        slots[i]->state = DELIVERY_WANTED;
    s->lanes[0].work = &w;
    /* Once more for what a lane gave back that could not connect again, when all others had ended already. */
    do {
        lanes_init(&w.lanes);
        w.started = 1;
        smtp_lane_run(&s->lanes[0]);
        lanes_wait(&w.lanes);
        left = !w.over && w.back != NULL;
    } while (left);
    if (w.over)
        *e = w.err;
    return w.over ? -1 : 0;
}

static void smtp_sink_free(struct sink *sink)
{
    struct smtp_sink *s = self(sink);

    smtp_sink_close(sink);
    smtp_route_free(&s->route);
    free(s->disabled);
    free(s);
}

#define OPS(name)                                                                                                      \
    {                                                                                                                  \
        .type = (name), .staged_means = DELIVERY_WANTED, .describe = smtp_sink_describe, .open = smtp_sink_open,       \
        .ready = smtp_sink_ready, .check = smtp_sink_check, .finish = smtp_sink_finish, .commit = smtp_sink_commit,    \
        .discard = smtp_sink_discard, .close = smtp_sink_close, .free = smtp_sink_free,                                \
    }
static const struct sink_ops smtp_ops = OPS("smtp"), lmtp_ops = OPS("lmtp");

/* The same server, with PIPELINING among what is never used. */
static int make_plain(struct smtp_sink *s)
{
    const char *const *disabled = s->options.server->disabled;
    size_t n = 0;

    while (disabled != NULL && disabled[n] != NULL)
        n++;
    s->disabled = calloc(n + 2, sizeof(*s->disabled));
    if (s->disabled == NULL)
        return -1;
    for (size_t i = 0; i < n; i++)
        s->disabled[i] = disabled[i];
    s->disabled[n] = "PIPELINING";
    s->plain = *s->options.server;
    s->plain.disabled = s->disabled;
    return 0;
}

static void name_hosts(struct smtp_sink *s)
{
    const struct dial_options *dial = &s->options.server->dial;
    char ours[HOST_MAX] = "";

    if (s->options.domain != NULL)
        snprintf(s->label, sizeof(s->label), "%s", s->options.domain);
    else if (dial->unix_socket != NULL)
        snprintf(s->label, sizeof(s->label), "%s", dial->unix_socket);
    else
        snprintf(s->label, sizeof(s->label), "%s:%u", dial->host != NULL ? dial->host : "tunnel", (unsigned)dial->port);
    if (gethostname(ours, sizeof(ours) - 1) != 0)
        ours[0] = '\0';
    smtp_trace_host(ours, s->our_host);
    smtp_trace_host(s->options.source_host, s->source_host);
}

struct sink *sink_smtp_new(const struct sink_smtp_options *options)
{
    struct smtp_sink *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return NULL;
    s->sink.ops = options->lmtp ? &lmtp_ops : &smtp_ops;
    s->sink.name = options->name;
    s->sink.drop_rejected = options->drop_rejected;
    s->options = *options;
    if (!options->lmtp)
        s->route = smtp_route_new(&(struct smtp_route_options){ .domain = options->domain, .state = options->state });
    if ((!options->lmtp && s->route == NULL) || make_plain(s) != 0) {
        smtp_route_free(&s->route);
        free(s);
        return NULL;
    }
    name_hosts(s);
    atomic_init(&s->unpipelined, false);
    atomic_init(&s->lanes_max, SMTP_LANES_MAX);
    for (unsigned i = 0; i < SMTP_LANES_MAX; i++)
        s->lanes[i] = (struct smtp_lane){ .sink = s, .index = i };
    return &s->sink;
}
