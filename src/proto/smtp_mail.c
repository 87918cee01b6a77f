/* SPDX-License-Identifier: MIT
 * One message after the other. RFC 5321 section 3.3; RFC 2920 section 3.1 (what may go out in one group); RFC 3030; RFC
 * 2033 section 4.2.
 */
#include "proto/smtp_int.h"

#include "wire/address.h"
#include "wire/limits.h"

#include <assert.h>

enum {
    /* The longest of ours: MAIL with an address and all its parameters. */
    MAIL_LINE_MAX = ADDRESS_MAX + 128,
    /* What is asked of the body at a time: the write buffer of a stream. */
    PIECE_MAX = 16 * 1024,
};

/* --- envelope --- */

/* The last line of defence: no command can be hidden in it. Quoted local parts may hold blanks and brackets. */
static bool is_safe(struct slice address)
{
    bool quoted = false;

    if (address.n > ADDRESS_MAX)
        return false;
    for (size_t i = 0; i < address.n; i++) {
        unsigned char c = (unsigned char)address.p[i];

        if (c < ' ' || c == 0x7f)
            return false;
        if (!quoted && (c == ' ' || c == '<' || c == '>' || c == '\\'))
            return false;
        if (quoted && c == '\\') {
            if (++i == address.n || (unsigned char)address.p[i] < ' ' || address.p[i] == 0x7f)
                return false;
        } else if (c == '"') {
            quoted = !quoted;
        }
    }
    return !quoted;
}

static int check_addresses(const struct smtp_message *m, struct err *e)
{
    bool safe = is_safe(m->sender);

    for (size_t i = 0; i < m->recipient_count; i++)
        safe = safe && m->recipients[i].address.n > 0 && is_safe(m->recipients[i].address);
    return safe ? 0 : err_set(e, E_MESSAGE, "an address of the envelope cannot be said in SMTP");
}

enum step { STEP_RSET, STEP_MAIL, STEP_RCPT, STEP_DATA, STEP_END };

/* What the k-th command of the envelope is. */
static enum step step_at(const struct smtp *s, size_t k, struct smtp_recipient **recipient_out)
{
    const struct smtp_message *m = s->envelope;

    *recipient_out = NULL;
    if (k == 0 && s->with_rset)
        return STEP_RSET;
    k -= s->with_rset;
    if (k == 0)
        return STEP_MAIL;
    k--;
    if (k < m->recipient_count) {
        *recipient_out = &m->recipients[k];
        return STEP_RCPT;
    }
    return k == m->recipient_count && s->with_data ? STEP_DATA : STEP_END;
}

static int mail_line(const struct smtp *s, const struct smtp_message *m, char line[MAIL_LINE_MAX])
{
    uint32_t bits = s->caps.bits;
    char size[32] = "";

    if ((bits & SMTP_CAP_SIZE) != 0)
        snprintf(size, sizeof(size), " SIZE=%" PRIu64, m->octets);
    return snprintf(line, MAIL_LINE_MAX, "MAIL FROM:<%.*s>%s%s%s\r\n", SLICE_ARG(m->sender), size,
                    m->eight_bit && (bits & SMTP_CAP_8BITMIME) != 0 ? " BODY=8BITMIME" : "",
                    m->utf8 && (bits & SMTP_CAP_SMTPUTF8) != 0 ? " SMTPUTF8" : "");
}

static size_t command_line(const struct smtp *s, enum step step, const struct smtp_recipient *r,
                           char line[MAIL_LINE_MAX])
{
    int n = 0;

    if (step == STEP_RSET)
        n = snprintf(line, MAIL_LINE_MAX, "RSET\r\n");
    else if (step == STEP_MAIL)
        n = mail_line(s, s->envelope, line);
    else if (step == STEP_RCPT)
        n = snprintf(line, MAIL_LINE_MAX, "RCPT TO:<%.*s>\r\n", SLICE_ARG(r->address));
    else
        n = snprintf(line, MAIL_LINE_MAX, "DATA\r\n");
    assert(n > 0 && n < MAIL_LINE_MAX);
    return (size_t)n;
}

static bool any_accepted(const struct smtp_message *m)
{
    for (size_t i = 0; i < m->recipient_count; i++) {
        if (m->recipients[i].accepted)
            return true;
    }
    return false;
}

/* Whether the next command makes sense after what is known by now. */
static bool may_send(const struct smtp *s)
{
    struct smtp_recipient *r;
    enum step step = step_at(s, s->sent, &r);
    bool all_answered = s->answered == s->sent;

    if (step == STEP_END || (!smtp_pipelines(s) && !all_answered))
        return false;
    if (s->envelope->mail.code != 0 && smtp_class(&s->envelope->mail) != 2)
        return false;
    return step != STEP_DATA || !all_answered || any_accepted(s->envelope);
}

/* Puts as many commands as may be unanswered. */
static void put_commands(struct smtp *s)
{
    struct smtp_recipient *r;
    char line[MAIL_LINE_MAX];

    if (s->answered == s->sent)
        s->in_flight = 0;
    while (may_send(s)) {
        enum step step = step_at(s, s->sent, &r);
        size_t n = command_line(s, step, r, line);

        if (s->in_flight > 0 && s->in_flight + n > LIMIT_IN_FLIGHT)
            break;
        stream_put(s->stream, slice_make(line, n));
        s->in_flight += n;
        s->sent++;
    }
}

static int gone(struct smtp *s, struct err *e)
{
    err_set(e, E_NET, "%s has ended the session", s->host);
    return smtp_broken(s);
}

static void forget_replies(struct smtp_message *m)
{
    m->mail = SMTP_REPLY_NONE;
    m->go = false;
    for (size_t i = 0; i < m->recipient_count; i++) {
        m->recipients[i].reply = SMTP_REPLY_NONE;
        m->recipients[i].accepted = false;
    }
}

static int begin_envelope(struct smtp *s, struct smtp_message *m, bool with_data, struct err *e)
{
    forget_replies(m);
    if (s->broken || s->spent)
        return gone(s, e);
    assert(s->envelope == NULL && m->recipient_count > 0);
    assert(s->body == NULL || (s->ended && smtp_pipelines(s)));
    if (check_addresses(m, e) != 0)
        return -1;
    if (s->body == NULL && smtp_unasked(s, e) != 0)
        return -1;
    s->envelope = m;
    s->with_rset = s->rset_due;
    s->with_data = with_data;
    s->go_ahead = false;
    s->sent = s->answered = 0;
    s->rset_due = true;
    if (s->body == NULL)
        stream_exchange(s->stream, 1);
    put_commands(s);
    /* The answer to the message in front may still be there: smtp_body_done() tells. */
    if (stream_flush(s->stream, e) != 0 && s->body == NULL)
        return smtp_broken(s);
    return 0;
}

int smtp_envelope(struct smtp *s, struct smtp_message *m, struct err *e)
{
    return begin_envelope(s, m, (s->caps.bits & SMTP_CAP_CHUNKING) == 0, e);
}

static int data_reply(struct smtp *s, const struct smtp_reply *reply, struct err *e)
{
    struct smtp_message *m = s->envelope;

    if (reply->code == 354) {
        s->go_ahead = true;
        return 0;
    }
    if (smtp_class(reply) < 4)
        return smtp_out_of_step(s, reply, e);
    if (smtp_class(&m->mail) != 2 || !any_accepted(m))
        return 0;
    if (reply->code == 503)
        return smtp_out_of_step(s, reply, e);
    m->mail = *reply;
    return 0;
}

/* 503 (bad sequence) to MAIL, or to a RCPT or DATA behind good ones, is about the session, not about the message. */
static int take_reply(struct smtp *s, enum step step, struct smtp_recipient *r, const struct smtp_reply *reply,
                      struct err *e)
{
    struct smtp_message *m = s->envelope;

    if (step == STEP_DATA)
        return data_reply(s, reply, e);
    if (smtp_class(reply) == 3 || (step == STEP_RSET && smtp_class(reply) != 2) ||
        (reply->code == 503 && (step == STEP_MAIL || (step == STEP_RCPT && smtp_class(&m->mail) == 2))))
        return smtp_out_of_step(s, reply, e);
    if (step == STEP_MAIL)
        m->mail = *reply;
    if (step == STEP_RCPT && smtp_class(&m->mail) == 2) {
        r->accepted = smtp_class(reply) == 2;
        if (!r->accepted)
            r->reply = *reply;
    }
    return 0;
}

/* Reads the replies, and sends what did not fit before. */
static int finish_envelope(struct smtp *s, struct err *e)
{
    struct smtp_reply reply;
    struct smtp_recipient *r;
    enum step step;

    for (;;) {
        if (s->answered == s->sent) {
            put_commands(s);
            if (s->answered == s->sent)
                return 0;
            if (smtp_unasked(s, e) != 0)
                return -1;
            if (stream_flush(s->stream, e) != 0)
                return smtp_broken(s);
        }
        step = step_at(s, s->answered, &r);
        if (smtp_read(s, false, NULL, &reply, e) != 0)
            return -1;
        if (take_reply(s, step, r, &reply, e) != 0)
            return -1;
        s->answered++;
    }
}

/* DATA was pipelined, nobody takes the message, and the server wants it all the same (RFC 2920 section 3.1): it gets
 * an empty one for nobody, and whatever it says to that delivers nothing. */
static int send_nothing(struct smtp *s, struct err *e)
{
    struct smtp_reply reply = { .code = 354, .words = "354" };

    if (s->lmtp)
        return smtp_out_of_step(s, &reply, e);
    if (smtp_unasked(s, e) != 0)
        return -1;
    stream_put(s->stream, SLICE(".\r\n"));
    if (stream_flush(s->stream, e) != 0)
        return smtp_broken(s);
    return smtp_read(s, true, NULL, &reply, e);
}

int smtp_envelope_done(struct smtp *s, struct smtp_message *m, struct err *e)
{
    bool wanted;

    assert(s->envelope == m && s->body == NULL);
    if (finish_envelope(s, e) != 0)
        return -1;
    wanted = smtp_class(&m->mail) == 2 && any_accepted(m);
    if (s->go_ahead && !wanted && send_nothing(s, e) != 0)
        return -1;
    m->go = wanted && (s->go_ahead || !s->with_data);
    s->envelope = NULL;
    if (m->go) {
        s->body = m;
        s->left = m->octets;
        s->ended = false;
    }
    return 0;
}

int smtp_probe(struct smtp *s, struct smtp_message *m, struct err *e)
{
    struct smtp_reply reply;

    if (begin_envelope(s, m, false, e) != 0 || finish_envelope(s, e) != 0)
        return -1;
    s->envelope = NULL;
    stream_put(s->stream, SLICE("RSET\r\n"));
    if (smtp_ask(s, NULL, &reply, e) != 0)
        return -1;
    s->rset_due = false;
    return smtp_class(&reply) == 2 ? 0 : smtp_out_of_step(s, &reply, e);
}

/* --- body --- */

static bool is_chunking(const struct smtp *s)
{
    return (s->caps.bits & SMTP_CAP_CHUNKING) != 0;
}

static void set_replies(struct smtp_message *m, const struct smtp_reply *reply)
{
    for (size_t i = 0; i < m->recipient_count; i++) {
        if (m->recipients[i].accepted)
            m->recipients[i].reply = *reply;
    }
}

/* The server answered before it has the whole message: that is a refusal of it. The rest is never sent, and so the
 * session is at its end. */
static int early_reply(struct smtp *s, struct smtp_message *m, struct err *e)
{
    struct smtp_reply reply;
    int rc = smtp_read(s, false, NULL, &reply, e);

    if (rc == 0 && smtp_class(&reply) < 4)
        return smtp_out_of_step(s, &reply, e);
    set_replies(m, &reply);
    s->spent = rc == 0;
    return rc;
}

/* A whole line of the server lies ready, even if the connection is gone. */
static bool has_line(const struct smtp *s)
{
    struct slice unread = stream_peek(s->stream);

    return unread.n > 0 && memchr(unread.p, '\n', unread.n) != NULL;
}

/* Sending failed; what the server had said by then is worth more than that. */
static int cut_short(struct smtp *s, struct smtp_message *m, const struct err *why, struct err *e)
{
    smtp_broken(s);
    if (has_line(s)) {
        if (early_reply(s, m, e) == 0)
            return 0;
        if (e->code == E_BUSY)
            return -1;
    }
    *e = *why;
    return -1;
}

/* The sizes in BDAT and in the spool differ: the server is left without the last byte, so that it delivers nothing. */
static int wrong_length(struct smtp *s, struct err *e)
{
    err_set(e, E_MESSAGE, "the message is not as long as it was found to be, so it was not sent to its end");
    return smtp_broken(s);
}

static int put_piece(struct smtp *s, struct slice piece, struct err *e)
{
    if (is_chunking(s)) {
        if (piece.n > s->left)
            return wrong_length(s, e);
        s->left -= piece.n;
        if (s->left == 0 && piece.n > 0)
            s->held = piece.p[--piece.n];
    }
    stream_put_body(s->stream, piece);
    return 0;
}

int smtp_body(struct smtp *s, struct smtp_message *m, smtp_body_fn *body, void *ctx, struct err *e)
{
    char piece[PIECE_MAX];
    struct err why;
    size_t n;

    assert(s->body == m && s->envelope == NULL);
    stream_exchange(s->stream, 1);
    if (is_chunking(s) && m->octets > 0)
        stream_putf(s->stream, "BDAT %" PRIu64 " LAST\r\n", m->octets);
    for (bool first = true;; first = false) {
        if (stream_peek(s->stream).n > 0)
            return early_reply(s, m, e);
        if (body(ctx, !is_chunking(s), piece, sizeof(piece), &n, e) != 0)
            return smtp_broken(s);
        if (n == 0)
            break;
        /* A small message goes out together with its end and the next envelope. */
        if (!first && stream_flush(s->stream, &why) != 0)
            return cut_short(s, m, &why, e);
        if (put_piece(s, slice_make(piece, n), e) != 0)
            return -1;
    }
    return is_chunking(s) && s->left > 0 ? wrong_length(s, e) : 0;
}

int smtp_last(struct smtp *s, struct smtp_message *m, struct err *e)
{
    assert(s->body == m);
    if (s->spent)
        return 0;
    if (stream_peek(s->stream).n > 0)
        return early_reply(s, m, e);
    if (!is_chunking(s))
        stream_put(s->stream, SLICE(".\r\n"));
    else if (m->octets == 0)
        stream_put(s->stream, SLICE("BDAT 0 LAST\r\n"));
    else
        stream_put_body(s->stream, slice_make(&s->held, 1));
    s->ended = true;
    stream_exchange(s->stream, SMTP_FINAL_FACTOR);
    stream_patient(s->stream);
    s->rset_due = false;
    return 0;
}

static int final_reply(struct smtp *s, struct smtp_reply *out, struct err *e)
{
    if (smtp_read(s, true, NULL, out, e) != 0)
        return -1;
    if (smtp_class(out) != 3)
        return 0;
    smtp_out_of_step(s, out, e);
    *out = SMTP_REPLY_NONE;
    return -1;
}

/* LMTP: one reply for each recipient that was accepted, in order (RFC 2033 section 4.2). */
static int recipients_replies(struct smtp *s, struct smtp_message *m, bool *all_out, struct err *e)
{
    for (size_t i = 0; i < m->recipient_count; i++) {
        struct smtp_recipient *r = &m->recipients[i];

        if (!r->accepted)
            continue;
        if (final_reply(s, &r->reply, e) != 0)
            return -1;
        *all_out = *all_out && smtp_class(&r->reply) == 2;
    }
    return 0;
}

int smtp_body_done(struct smtp *s, struct smtp_message *m, struct err *e)
{
    struct smtp_reply reply;
    bool all = true;
    int rc;

    assert(s->body == m);
    s->body = NULL;
    if (s->spent)
        return 0;
    if (stream_flush(s->stream, e) != 0) {
        smtp_broken(s);
        if (!has_line(s))
            return -1;
    }
    if (s->lmtp) {
        rc = recipients_replies(s, m, &all, e);
    } else {
        rc = final_reply(s, &reply, e);
        set_replies(m, &reply);
        all = smtp_class(&reply) == 2;
    }
    if (s->envelope == NULL)
        s->rset_due = !all;
    return rc;
}
