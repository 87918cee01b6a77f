/* SPDX-License-Identifier: MIT */
#include "haul/sink_smtp_int.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"
#include "wire/address.h"

enum { TRACE_FIELD_MAX = 2048, WHY_MAX = ADDRESS_MAX + SMTP_WORDS_MAX + 256 };

/* --- who it is from and for --- */

static bool ascii(const char *s)
{
    while (*s > 0)
        s++;
    return *s == '\0';
}

static bool offers(const struct smtp_lane *l, enum smtp_cap cap)
{
    return (smtp_caps(l->smtp)->bits & cap) != 0;
}

/* Those that do not have it yet, and that this server can be told. */
static int list_recipients(struct smtp_mail *mail, bool utf8, const char *label, struct err *e)
{
    const struct envelope *v = &mail->envelope;
    struct buf words = BUF_INIT(WHY_MAX);

    mail->recipients = calloc(v->recipient_count, sizeof(*mail->recipients));
    if (mail->recipients == NULL)
        return err_nomem(e);
    mail->m.recipients = mail->recipients;
    for (size_t i = 0; i < v->recipient_count; i++) {
        struct slice address = slice_str(v->recipients[i]);

        if (sink_slot_has(mail->slot, address))
            continue;
        if (utf8 || ascii(v->recipients[i])) {
            mail->recipients[mail->m.recipient_count++].address = address;
        } else if (mail->unsendable == NULL) {
            if (buf_putf(&words, "%s: not ASCII, and %s does not offer SMTPUTF8", v->recipients[i], label) != 0)
                return err_nomem(e);
            mail->unsendable = words.p;
        }
    }
    return 0;
}

static struct slice sender_for(const struct envelope *v, bool utf8, const char *from)
{
    if (utf8 || ascii(v->sender))
        return slice_str(v->sender);
    return from != NULL && ascii(from) ? slice_str(from) : SLICE("");
}

static int make_trace(struct smtp_mail *mail, const struct smtp_sink *s, struct err *e)
{
    const struct envelope *v = &mail->envelope;
    struct smtp_trace trace = { .from = s->source_host,
                                .by = s->our_host,
                                .protocol = s->options.source_protocol,
                                .recipient = v->recipient_count == 1 ? v->recipients[0] : NULL,
                                .when = clock_wall() };

    buf_init(&mail->trace, TRACE_FIELD_MAX);
    return smtp_trace_put(&trace, &mail->trace) == 0 ? 0 : err_nomem(e);
}

/* What need not be sent to know what will become of it. */
static bool settled_here(struct smtp_mail *mail, const struct smtp_lane *l)
{
    const struct smtp_caps *caps = smtp_caps(l->smtp);
    const struct smtp_sink *s = l->sink;
    char why[WHY_MAX] = "";

    if (mail->envelope.too_many)
        snprintf(why, sizeof(why), "it names more than %d recipients for %s", ENVELOPE_RECIPIENTS_MAX, s->sink.name);
    else if (mail->envelope.recipient_count == 0)
        snprintf(why, sizeof(why), "no recipient for %s is found in it, and there is no to_fallback", s->sink.name);
    else if (mail->envelope.hops >= ENVELOPE_HOPS_MAX)
        snprintf(why, sizeof(why), "it goes round in circles: it has %u Received fields already", mail->envelope.hops);
    else if (offers(l, SMTP_CAP_SIZE) && caps->max_size > 0 && mail->m.octets > caps->max_size)
        snprintf(why, sizeof(why), "too large for %s: it has %" PRIu64 " octets, at most %" PRIu64 " are taken there",
                 s->label, mail->m.octets, caps->max_size);
    else if (mail->m.recipient_count > 0)
        return false;
    else if (mail->unsendable != NULL)
        snprintf(why, sizeof(why), "%s", mail->unsendable);
    mail->slot->state = why[0] != '\0' ? DELIVERY_REJECTED : DELIVERY_DELIVERED;
    mail->slot->by_us = why[0] != '\0';
    if (why[0] != '\0')
        sink_slot_why(mail->slot, why);
    return true;
}

int smtp_mail_begin(struct smtp_mail *mail, const struct smtp_lane *l, struct sink_slot *slot, bool *send_out,
                    struct err *e)
{
    const struct smtp_sink *s = l->sink;
    const struct smtp_slot *own = slot->own;
    const struct spool_facts *facts = spool_facts(own->file);
    bool utf8 = offers(l, SMTP_CAP_SMTPUTF8);

    *mail = (struct smtp_mail){
        .slot = slot, .file = own->file, .buffer = l->buffer, .lmtp = s->options.lmtp, .trace = BUF_INIT(0)
    };
    if (envelope_read(own->file, &s->options.rules, &mail->envelope, e) != 0 ||
        list_recipients(mail, utf8, s->label, e) != 0 || make_trace(mail, s, e) != 0)
        return -1;
    mail->m.sender = sender_for(&mail->envelope, utf8, s->options.rules.from);
    mail->m.octets = mail->trace.len + facts->smtp_octets;
    mail->m.eight_bit = facts->eight_bit;
    mail->m.utf8 = mail->envelope.utf8;
    *send_out = !settled_here(mail, l);
    return 0;
}

void smtp_mail_end(struct smtp_mail *mail)
{
    envelope_release(&mail->envelope);
    free(mail->recipients);
    free(mail->unsendable);
    buf_release(&mail->trace);
    *mail = (struct smtp_mail){ 0 };
}

/* --- the body --- */

int smtp_mail_body(void *ctx, bool dots, char *out, size_t size, size_t *n_out, struct err *e)
{
    struct smtp_mail *mail = ctx;
    size_t n = size_min(size, mail->trace.len - mail->trace_sent), got;

    if (stop_requested() != 0)
        return err_set(e, E_STOPPED, "stopped");
    if (!mail->begun)
        mail->crlf = CRLF_INIT(dots ? CRLF_DATA : CRLF_SMTP);
    mail->begun = true;
    if (n > 0)
        memcpy(out, mail->trace.p + mail->trace_sent, n);
    mail->trace_sent += n;
    /* Four bytes are what becomes of one at most. */
    while (size - n >= 4 && !mail->ended) {
        if (mail->unread.n == 0) {
            if (spool_read(mail->file, mail->offset, mail->buffer, SMTP_READ, &got, e) != 0)
                return -1;
            mail->unread = slice_make(mail->buffer, got);
            mail->offset += got;
            mail->ended = got == 0;
        }
        n += mail->ended ? crlf_end(&mail->crlf, out + n) : crlf_put(&mail->crlf, &mail->unread, out + n, size - n);
    }
    *n_out = n;
    return 0;
}

/* --- what became of it --- */

static bool positive(const struct smtp_reply *reply)
{
    return reply->code / 100 == 2;
}

/* RFC 5321 section 4.5.3.1.10: 552 to a RCPT says "too many", as 452 does. */
static bool too_many(const struct smtp_recipient *r)
{
    return !r->accepted && (r->reply.code == 452 || r->reply.code == 552);
}

static bool for_good(const struct smtp_recipient *r)
{
    return r->reply.code / 100 == 5 && !too_many(r);
}

static bool has_it(const struct smtp_recipient *r)
{
    return r->accepted && positive(&r->reply);
}

int smtp_login_wanted(const struct smtp_sink *s, const struct smtp_reply *reply, struct err *e)
{
    bool known = s->options.server->user != NULL;

    /* RFC 4954 section 6, and 530 of RFC 3207 section 4. */
    if (reply->code != 530 && reply->code != 534 && reply->code != 535 && reply->code != 538)
        return 0;
    if (known)
        err_set(e, E_AUTH, "%s takes no mail from this user", s->label);
    else
        err_set(e, E_LACKS, "%s takes no mail without a login or TLS: set user and a password, or tls, in this section",
                s->label);
    return err_peer(e, slice_str(reply->words));
}

/* Those who have it, while others have not. */
static int note_done(struct smtp_mail *mail, struct err *e)
{
    for (size_t i = 0; i < mail->m.recipient_count; i++) {
        const struct smtp_recipient *r = &mail->recipients[i];
        struct buf *done = &mail->slot->done;
        size_t before = done->len;

        if (!has_it(r))
            continue;
        if (buf_put_slice(done, r->address) != 0 || buf_put_char(done, '\0') != 0) {
            buf_truncate(done, before);
            return err_nomem(e);
        }
    }
    return 0;
}

static void say_why(struct smtp_mail *mail, const struct smtp_recipient *r)
{
    char why[WHY_MAX];

    /* Of the message as a whole SMTP says one thing to all. */
    if (r->accepted && !mail->lmtp)
        snprintf(why, sizeof(why), "%s", r->reply.words);
    else
        snprintf(why, sizeof(why), "%.*s: %s", SLICE_ARG(r->address), r->reply.words);
    sink_slot_why(mail->slot, why);
}

static int settle_recipients(struct smtp_mail *mail, bool *again_out, struct err *e)
{
    const struct smtp_recipient *rejected = NULL, *put_off = NULL;
    bool any = false, more = false;

    for (size_t i = 0; i < mail->m.recipient_count; i++) {
        const struct smtp_recipient *r = &mail->recipients[i];

        any = any || has_it(r);
        more = more || too_many(r);
        if (for_good(r) && rejected == NULL)
            rejected = r;
        else if (!has_it(r) && !for_good(r) && put_off == NULL)
            put_off = r;
    }
    /* As long as there is hope for one, it is not given up for the others. */
    mail->slot->state = put_off != NULL                                ? DELIVERY_WANTED
                        : rejected != NULL || mail->unsendable != NULL ? DELIVERY_REJECTED
                                                                       : DELIVERY_DELIVERED;
    if (mail->slot->state == DELIVERY_DELIVERED)
        return 0;
    *again_out = any && more;
    mail->slot->by_us = rejected == NULL && put_off == NULL;
    if (put_off != NULL || rejected != NULL) {
        if (!*again_out)
            say_why(mail, put_off != NULL ? put_off : rejected);
    } else {
        sink_slot_why(mail->slot, mail->unsendable);
    }
    return note_done(mail, e);
}

int smtp_mail_settle(struct smtp_mail *mail, const struct smtp_sink *s, bool *again_out, struct err *e)
{
    const struct smtp_message *m = &mail->m;

    *again_out = false;
    mail->slot->state = DELIVERY_WANTED;
    if (!m->go && !positive(&m->mail)) {
        if (smtp_login_wanted(s, &m->mail, e) != 0)
            return -1;
        mail->slot->state = m->mail.code / 100 == 5 ? DELIVERY_REJECTED : DELIVERY_WANTED;
        sink_slot_why(mail->slot, m->mail.words);
        return 0;
    }
    for (size_t i = 0; i < m->recipient_count && !m->go; i++) {
        if (smtp_login_wanted(s, &m->recipients[i].reply, e) != 0)
            return -1;
    }
    return settle_recipients(mail, again_out, e);
}

/* Everybody who was to get it has answered, if only with a goodbye (421). */
static bool all_answered(const struct smtp_mail *mail)
{
    for (size_t i = 0; i < mail->m.recipient_count; i++) {
        if (mail->recipients[i].accepted && mail->recipients[i].reply.code == 0)
            return false;
    }
    return true;
}

int smtp_mail_cut(struct smtp_mail *mail, const struct err *cause, struct err *e)
{
    char words[ERR_TEXT_MAX + ERR_PEER_MAX];
    bool again;

    if (mail->handed && all_answered(mail))
        return settle_recipients(mail, &again, e);
    err_format(cause, words, sizeof(words));
    mail->slot->state = mail->handed ? DELIVERY_IN_DOUBT : DELIVERY_WANTED;
    sink_slot_why(mail->slot, words);
    return note_done(mail, e);
}
