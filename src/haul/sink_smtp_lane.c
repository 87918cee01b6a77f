/* SPDX-License-Identifier: MIT */
#include "haul/sink_smtp_int.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/step.h"
#include "base/stop.h"

/* --- the connection --- */

int smtp_lane_open(struct smtp_lane *l, struct err *e)
{
    const struct smtp_sink *s = l->sink;
    struct smtp_options options = { .server = atomic_load(&s->unpipelined) ? &s->plain : s->options.server,
                                    .lmtp = s->options.lmtp };

    if (l->buffer == NULL)
        l->buffer = malloc(SMTP_READ);
    if (l->buffer == NULL)
        return err_nomem(e);
    if (s->route == NULL && smtp_open(&options, &l->smtp, e) != 0)
        return -1;
    if (s->route != NULL && smtp_route_open(s->route, &options, l->index > 0, &l->hop, &l->smtp, e) != 0)
        return -1;
    l->pipelines = smtp_pipelines(l->smtp);
    l->seasoned = false;
    return 0;
}

void smtp_lane_close(struct smtp_lane *l)
{
    smtp_close(&l->smtp);
    free(l->buffer);
    l->buffer = NULL;
}

/* --- what the lanes share --- */

/* What ends the whole pass ranks above what is only this destination's. */
static bool ends_pass(const struct err *e)
{
    return e->code == E_DISK || e->code == E_NOMEM || e->code == E_STOPPED;
}

static void end_work(struct smtp_work *w, const struct err *e)
{
    pthread_mutex_lock(&w->lanes.lock);
    if (!w->over || (ends_pass(e) && !ends_pass(&w->err)))
        w->err = *e;
    w->over = true;
    pthread_mutex_unlock(&w->lanes.lock);
}

bool smtp_work_left(struct smtp_work *w)
{
    bool left;

    pthread_mutex_lock(&w->lanes.lock);
    left = !w->over && (w->next < w->count || w->back != NULL);
    pthread_mutex_unlock(&w->lanes.lock);
    return left;
}

static bool is_over(struct smtp_work *w)
{
    bool over;

    pthread_mutex_lock(&w->lanes.lock);
    over = w->over;
    pthread_mutex_unlock(&w->lanes.lock);
    return over;
}

/* NULL: there is none. */
static struct sink_slot *next_slot(struct smtp_work *w)
{
    struct sink_slot *slot = NULL;
    struct err e;

    if (stop_requested() != 0 && smtp_work_left(w)) {
        err_set(&e, E_STOPPED, "stopped");
        end_work(w, &e);
    }
    pthread_mutex_lock(&w->lanes.lock);
    if (!w->over && w->back != NULL) {
        struct smtp_slot *own = w->back->own;
        slot = w->back;
        w->back = own->next;
    } else if (!w->over && w->next < w->count) {
        slot = w->slots[w->next++];
    }
    pthread_mutex_unlock(&w->lanes.lock);
    return slot;
}

static void give_back(struct smtp_work *w, struct smtp_mail *mail)
{
    struct smtp_slot *own = mail->slot->own;

    mail->slot->state = DELIVERY_WANTED;
    pthread_mutex_lock(&w->lanes.lock);
    own->next = w->back;
    w->back = mail->slot;
    pthread_mutex_unlock(&w->lanes.lock);
    smtp_mail_end(mail);
}

/* An error is noted in the work. */
static int record(struct smtp_work *w, struct sink_slot *slot, struct err *e)
{
    int rc;

    pthread_mutex_lock(&w->lanes.lock);
    rc = w->record->write(w->record->ctx, slot, e);
    pthread_mutex_unlock(&w->lanes.lock);
    if (rc != 0)
        end_work(w, e);
    return rc;
}

static void count_failure(struct smtp_work *w, const struct err *e)
{
    bool enough;

    pthread_mutex_lock(&w->lanes.lock);
    enough = ++w->sink->failures >= SMTP_FAILURES_MAX;
    pthread_mutex_unlock(&w->lanes.lock);
    if (enough)
        end_work(w, e);
}

static void count_success(struct smtp_work *w)
{
    pthread_mutex_lock(&w->lanes.lock);
    w->sink->failures = 0;
    pthread_mutex_unlock(&w->lanes.lock);
}

/* --- more lanes --- */

static void count_reply(struct smtp_lane *l, int64_t waited_ms)
{
    struct smtp_sink *s = l->sink;

    pthread_mutex_lock(&l->work->lanes.lock);
    if (s->measured < SMTP_REPLIES_MEASURED) {
        s->measured_ms += waited_ms;
        s->measured++;
        if (s->measured == SMTP_REPLIES_MEASURED && s->measured_ms >= SMTP_REPLIES_MEASURED * SMTP_SLOW_REPLY_MS)
            s->slow = true;
    }
    pthread_mutex_unlock(&l->work->lanes.lock);
}

static void run_lane(void *lane)
{
    smtp_lane_run(lane);
}

/* Further connections, while it is round trips that are waited for. Only lane 0 opens them. */
static void grow(struct smtp_lane *l)
{
    struct smtp_work *w = l->work;
    struct smtp_sink *s = l->sink;
    unsigned wanted = 1, most = atomic_load(&s->lanes_max);

    if (l->index > 0)
        return;
    pthread_mutex_lock(&w->lanes.lock);
    if (!s->far && most > SMTP_LANES_NEAR)
        most = SMTP_LANES_NEAR;
    if (s->far || s->slow)
        wanted = (unsigned)size_min(most, 1 + (w->count - w->next) / SMTP_LANE_MESSAGES);
    pthread_mutex_unlock(&w->lanes.lock);
    while (w->started < wanted) {
        struct smtp_lane *more = &s->lanes[w->started++];

        more->work = w;
        if (!lanes_add(&w->lanes, run_lane, more))
            break;
    }
}

/* --- one message after the other --- */

/* The next one that has to be sent into *mail; none: its slot is NULL. What goes wrong here is noted in the work. */
static void take(struct smtp_lane *l, struct smtp_mail *mail)
{
    struct smtp_work *w = l->work;
    struct sink_slot *slot;
    struct err e;

    while ((slot = next_slot(w)) != NULL) {
        bool send = false, failed = smtp_mail_begin(mail, l, slot, &send, &e) != 0;

        if (send)
            return;
        smtp_mail_end(mail);
        if (failed)
            end_work(w, &e);
        else
            (void)record(w, slot, &e);
    }
}

/* In doubt before the last byte goes out: who kills us behind it finds it so. */
static int set_in_doubt(struct smtp_lane *l, struct smtp_mail *mail, struct err *e)
{
    mail->slot->state = DELIVERY_IN_DOUBT;
    if (record(l->work, mail->slot, e) != 0)
        return -1;
    mail->handed = true;
    return 0;
}

/* Dovecot's submission service (2.3) dies when a recipient waits behind a message that is not answered yet: it has
 * handed that message on by then, and says nothing. */
static bool goes_ahead(struct smtp_lane *l)
{
    return smtp_pipelines(l->smtp) && (smtp_caps(l->smtp)->bits & SMTP_CAP_BURL) == 0;
}

/* The body, and behind it the envelope of the next message. *ahead_cut: that could not be sent. */
static int give_body(struct smtp_lane *l, bool *ahead_cut, struct err *ahead_err, struct err *e)
{
    struct smtp_mail *mail = l->mail;
    int64_t start;
    int rc;

    if (smtp_body(l->smtp, &mail->m, smtp_mail_body, mail, e) != 0 || set_in_doubt(l, mail, e) != 0)
        return -1;
    step("sink.sending");
    if (smtp_last(l->smtp, &mail->m, e) != 0)
        return -1;
    if (goes_ahead(l)) {
        take(l, l->ahead);
        *ahead_cut = l->ahead->slot != NULL && smtp_envelope(l->smtp, &l->ahead->m, ahead_err) != 0;
    }
    start = clock_mono_ms();
    /* Also behind an envelope that did not get through: the answer may lie here already. */
    rc = smtp_body_done(l->smtp, &mail->m, e);
    count_reply(l, clock_mono_ms() - start);
    return rc;
}

static int settle(struct smtp_lane *l, struct smtp_mail *mail, struct err *e)
{
    struct smtp_work *w = l->work;
    size_t known = mail->slot->done.len;
    bool again;

    if (smtp_mail_settle(mail, l->sink, &again, e) != 0) {
        end_work(w, e);
        return -1;
    }
    if (mail->slot->state == DELIVERY_DELIVERED || mail->slot->done.len > known)
        count_success(w);
    l->seasoned = true;
    if (record(w, mail->slot, e) != 0) {
        smtp_mail_end(mail);
        return -1;
    }
    step("sink.answered");
    if (again)
        give_back(w, mail);
    else
        smtp_mail_end(mail);
    return 0;
}

/* What was ahead is on its way now. */
static void turn(struct smtp_lane *l)
{
    struct smtp_mail *done = l->mail;

    l->mail = l->ahead;
    l->ahead = done;
}

static int hand_over(struct smtp_lane *l, struct err *e)
{
    struct smtp_mail *mail = l->mail;
    struct err ahead_err = ERR_INIT;
    bool ahead_cut = false;

    if (smtp_envelope_done(l->smtp, &mail->m, e) != 0)
        return -1;
    if (mail->m.go && give_body(l, &ahead_cut, &ahead_err, e) != 0)
        return -1;
    if (settle(l, mail, e) != 0)
        return -1;
    turn(l);
    if (!ahead_cut)
        return 0;
    *e = ahead_err;
    return -1;
}

/* 0: nothing is left to do; -1: the connection is of no use any more. */
static int work_through(struct smtp_lane *l, struct err *e)
{
    for (;;) {
        if (l->mail->slot == NULL) {
            take(l, l->mail);
            if (l->mail->slot == NULL)
                return 0;
            if (smtp_envelope(l->smtp, &l->mail->m, e) != 0)
                return -1;
        }
        if (hand_over(l, e) != 0)
            return -1;
        grow(l);
    }
}

/* --- when a connection fails --- */

/* The server says that it can be pipelined, and drops or mixes up what comes ahead of its replies. */
static bool teaches(struct smtp_lane *l, const struct err *e)
{
    bool lost = e->code == E_TIMEOUT || (e->code == E_PROTO && e->retry == RETRY_RECONNECT);
    bool unanswered = l->mail->slot != NULL && (!l->mail->begun || l->ahead->slot != NULL);

    if (!l->pipelines || !lost || !unanswered)
        return false;
    if (!atomic_exchange(&l->sink->unpipelined, true))
        log_warn("%s offers PIPELINING and lost step with it (%s): from here on it is asked one thing at a time",
                 l->sink->label, e->text);
    return true;
}

/* A further connection that was of no use yet: the server may not want so many, and say so only now. */
static bool is_surplus(const struct smtp_lane *l, const struct err *e)
{
    return l->index > 0 && !l->seasoned && (e->code == E_NET || e->code == E_BUSY);
}

/* The message under which the connection failed is not to blame for it. */
static bool innocent(struct smtp_lane *l, const struct smtp_mail *mail, bool quirk, const struct err *e)
{
    const struct smtp_slot *own = mail->slot->own;

    if (mail->begun || mail->handed)
        return false;
    /* 421 after so many messages: all connections may come to it at the same time. Each has taken some by then. */
    if ((l->seasoned && e->code == E_BUSY) || is_surplus(l, e))
        return true;
    return !own->again && (quirk || (l->seasoned && e->code == E_NET));
}

/* What was on its way when the connection, or the work, came to its end. */
static void settle_cut(struct smtp_lane *l, struct smtp_mail *mail, const struct err *cause)
{
    struct err e;

    if (!mail->handed && is_over(l->work)) {
        mail->slot->state = DELIVERY_WANTED;
    } else {
        if (smtp_mail_cut(mail, cause, &e) != 0)
            end_work(l->work, &e);
        (void)record(l->work, mail->slot, &e);
    }
    smtp_mail_end(mail);
}

/* Leaves the lane without a connection and without a message. False: it is one too many. */
static bool clear_away(struct smtp_lane *l, const struct err *e)
{
    struct smtp_work *w = l->work;
    bool quirk;

    if (l->mail->slot == NULL)
        turn(l);
    quirk = teaches(l, e);
    smtp_close(&l->smtp);
    if (ends_pass(e))
        end_work(w, e);
    if (l->ahead->slot != NULL)
        give_back(w, l->ahead);
    if (l->mail->slot != NULL && !is_over(w) && innocent(l, l->mail, quirk, e)) {
        struct smtp_slot *own = l->mail->slot->own;

        own->again = own->again || !is_surplus(l, e);
        give_back(w, l->mail);
        return !is_surplus(l, e);
    }
    if (l->mail->slot != NULL)
        settle_cut(l, l->mail, e);
    if (!quirk && !is_over(w))
        count_failure(w, e);
    return true;
}

/* Nobody needs a further connection that is not to be had. */
static void end_quietly(struct smtp_lane *l, const struct err *e)
{
    unsigned most = atomic_load(&l->sink->lanes_max);

    log_debug("%s takes %u connections, no more: %s", l->sink->label, l->index, e->text);
    while (most > l->index && !atomic_compare_exchange_weak(&l->sink->lanes_max, &most, l->index))
        continue;
}

static bool connect_again(struct smtp_lane *l)
{
    struct err e;

    while (smtp_work_left(l->work)) {
        if (smtp_lane_open(l, &e) == 0)
            return true;
        if (l->index > 0) {
            end_quietly(l, &e);
            return false;
        }
        if (e.code != E_NET && e.code != E_TIMEOUT && e.code != E_BUSY)
            end_work(l->work, &e);
        else
            count_failure(l->work, &e);
    }
    return false;
}

void smtp_lane_run(struct smtp_lane *l)
{
    struct err e;

    l->mail = &l->mails[0];
    l->ahead = &l->mails[1];
    l->seasoned = true;
    while (smtp_work_left(l->work)) {
        if (l->smtp != NULL && l->seasoned && !smtp_alive(l->smtp))
            smtp_close(&l->smtp);
        if (l->smtp == NULL && !connect_again(l))
            return;
        if (smtp_round_trip_ms(l->smtp) >= SMTP_SLOW_EHLO_MS) {
            pthread_mutex_lock(&l->work->lanes.lock);
            l->sink->far = true;
            pthread_mutex_unlock(&l->work->lanes.lock);
        }
        grow(l);
        if (work_through(l, &e) != 0 && !clear_away(l, &e)) {
            end_quietly(l, &e);
            return;
        }
    }
}
