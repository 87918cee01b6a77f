/* SPDX-License-Identifier: MIT
 * RFC 4422 section 3: the exchange, in whichever protocol.
 */
#include "proto/sasl_int.h"

#include "wire/base64.h"

enum {
    /* Of challenges; the longest exchange has three. */
    ROUNDS_MAX = 16,
    LINE_MAX = SASL_STEP_MAX / 3 * 4 + 4,
};

struct talk {
    struct sasl_work work;
    const struct sasl_channel *channel;
    struct buf answer, line; /* secret; line is base64 */
    bool waiting;            /* `line` is to be sent when the server has said that it listens */
    enum sasl_step step;     /* where the mechanism is on our side */
};

static bool is_bearer(uint32_t mechanism)
{
    return (mechanism & (SASL_OAUTHBEARER | SASL_XOAUTH2)) != 0;
}

static bool server_first(uint32_t mechanism)
{
    return mechanism == SASL_LOGIN || mechanism == SASL_CRAM_MD5;
}

static enum sasl_step step(struct talk *t, const struct slice *in, struct err *e)
{
    enum sasl_step rc;

    buf_wipe(&t->answer);
    buf_wipe(&t->line);
    if (is_bearer(t->work.mechanism))
        rc = sasl_bearer_step(&t->work, in, &t->answer, e);
    else
        rc = sasl_library_step(&t->work, in, &t->answer, e);
    if (rc == SASL_FAILED)
        return rc;
    t->step = rc;
    if (base64_encode(buf_slice(&t->answer), &t->line) != 0) {
        (void)err_nomem(e);
        return SASL_FAILED;
    }
    return rc;
}

static int begin(struct talk *t, struct err *e)
{
    const char *name = sasl_name(t->work.mechanism);
    struct slice line;

    if (server_first(t->work.mechanism))
        return t->channel->start(t->channel->ctx, name, NULL, e);
    if (step(t, NULL, e) == SASL_FAILED)
        return -1;
    line = t->line.len > 0 ? buf_slice(&t->line) : SLICE("=");
    t->waiting = line.n > t->channel->initial_max;
    return t->channel->start(t->channel->ctx, name, t->waiting ? NULL : &line, e);
}

/* RFC 4422 section 3.5: the login is taken back, and only a refusal may follow. */
static int cancel(struct talk *t, struct err *e)
{
    enum sasl_said said;
    struct slice ignored;

    if (t->channel->say(t->channel->ctx, SLICE("*"), e) != 0 ||
        t->channel->hear(t->channel->ctx, &said, &ignored, e) != 0)
        return -1;
    if (said != SASL_REFUSED)
        return err_set(e, E_PROTO, "%s went on with a login that was cancelled", t->work.offer->host);
    return 0;
}

/* *e stays what it is, unless the server does not even take that. */
static int give_up(struct talk *t, struct err *e)
{
    struct err why = *e;

    if (cancel(t, e) == 0)
        *e = why;
    return -1;
}

static int next_step(struct talk *t, struct slice challenge, struct err *e)
{
    struct buf bytes = BUF_INIT(SASL_STEP_MAX);
    struct slice in;
    int rc = -1;

    if (base64_decode(challenge, &bytes) != 0) {
        err_set(e, E_PROTO, "%s sent a challenge for %s that is no base64", t->work.offer->host,
                sasl_name(t->work.mechanism));
        goto out;
    }
    in = buf_slice(&bytes);
    rc = step(t, &in, e) == SASL_FAILED ? -1 : 0;
out:
    buf_release(&bytes);
    return rc;
}

/* *over_out: the mechanism has nothing more to say, so that this login comes to nothing. */
static int answer(struct talk *t, bool first, struct slice challenge, bool *over_out, struct err *e)
{
    /* Some servers overlook what went along with the command, and ask for it. */
    bool overlooked = first && challenge.n == 0 && t->line.len > 0 && !is_bearer(t->work.mechanism);

    *over_out = !t->waiting && !overlooked && t->step == SASL_DONE;
    if (*over_out)
        return cancel(t, e);
    if (!t->waiting && !overlooked && next_step(t, challenge, e) != 0)
        return give_up(t, e);
    t->waiting = false;
    return t->channel->say(t->channel->ctx, buf_slice(&t->line), e);
}

static int too_early(const struct talk *t, struct err *e)
{
    if (server_first(t->work.mechanism) || t->waiting)
        return err_set(e, E_PROTO, "%s accepted a login without waiting for the password", t->work.offer->host);
    return err_set(e, E_TLS,
                   "%s accepted the login by %s before it was complete: it has not proved to be the right server",
                   t->work.offer->host, sasl_name(t->work.mechanism));
}

static int talk(struct talk *t, bool *accepted_out, struct err *e)
{
    if (begin(t, e) != 0)
        return -1;
    for (int i = 0; i < ROUNDS_MAX; i++) {
        enum sasl_said said;
        struct slice challenge;
        bool over;

        if (t->channel->hear(t->channel->ctx, &said, &challenge, e) != 0)
            return -1;
        *accepted_out = said == SASL_ACCEPTED;
        if (said == SASL_REFUSED)
            return 0;
        if (said == SASL_CHALLENGED) {
            if (answer(t, i == 0, challenge, &over, e) != 0)
                return -1;
            if (over)
                return 0;
            continue;
        }
        return t->waiting || t->step < SASL_MAY_END ? too_early(t, e) : 0;
    }
    return err_set(e, E_PROTO, "%s asks on and on in the login by %s", t->work.offer->host,
                   sasl_name(t->work.mechanism));
}

static int once(const struct server *s, const struct sasl_offer *offer, uint32_t mechanism, bool renew,
                const struct sasl_channel *channel, struct sasl_result *out, struct err *e)
{
    struct talk t = { .work = { .server = s, .offer = offer, .mechanism = mechanism, .renew = renew, .err = ERR_INIT },
                      .channel = channel,
                      .answer = BUF_INIT(SASL_STEP_MAX),
                      .line = BUF_INIT(LINE_MAX) };
    bool bearer = is_bearer(mechanism);
    int rc = bearer ? 0 : sasl_library_begin(&t.work, e);

    *out = (struct sasl_result){ .accepted = false };
    if (rc == 0)
        rc = talk(&t, &out->accepted, e);
    memcpy(out->words, t.work.words, sizeof(out->words));
    if (!bearer)
        sasl_library_end(&t.work);
    buf_wipe(&t.answer);
    buf_wipe(&t.line);
    buf_release(&t.answer);
    buf_release(&t.line);
    return rc;
}

int sasl_login(const struct server *s, const struct sasl_offer *offer, uint32_t mechanism,
               const struct sasl_channel *channel, struct sasl_result *out, struct err *e)
{
    bool bearer = is_bearer(mechanism);

    if (once(s, offer, mechanism, false, channel, out, e) != 0)
        return -1;
    /* A token may be withdrawn ahead of its time; a new one, once. */
    if (out->accepted || !bearer || s->token == NULL)
        return 0;
    return once(s, offer, mechanism, true, channel, out, e);
}
