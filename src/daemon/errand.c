/* SPDX-License-Identifier: MIT */
#include "daemon/errand.h"

#include "base/clock.h"
#include "base/stop.h"
#include "daemon/account.h"
#include "run/hooks.h"
#include "run/last.h"
#include "run/session.h"

static const struct conf *conf_of(const struct account *a)
{
    return a->running->conf;
}

/* When the daemon stops a farewell is still said to those that wait. */
static void lost(struct connection *c, const struct err *e)
{
    c->err = e->code;
    /* After a pass that failed that is no news. */
    if (c->errand != ERRAND_PASS || c->account->result->err.code == E_NONE)
        log_debug("%s", e->text);
    if (e->code != E_STOPPED && c->source != NULL)
        c->source->ops->close(c->source);
}

static int need_source(struct connection *c, struct err *e)
{
    return c->source != NULL ? 0 : session_source_new(c->account->conf, &c->source, e);
}

/* A source that cannot be told, or has no connection after the pass, simply does not wait. */
static void begin_to_wait(struct connection *c)
{
    const struct conf_account *conf = c->account->conf;
    struct err e;
    const struct wait_request request = { .folders = (const char *const *)conf->idle.v,
                                          .folder_count = conf->idle.n,
                                          .folder = c->about.count > 0 ? &c->about.v[0] : NULL,
                                          .notify_ok = true,
                                          .poll_s = conf->interval };

    wait_state_release(&c->wait);
    c->wait = (struct wait_state){ .fd = -1 };
    if (c->source->ops->wait_begin == NULL || stop_requested() != 0)
        return;
    if (c->source->ops->wait_begin(c->source, &request, &c->wait, &e) != 0) {
        lost(c, &e);
        return;
    }
    c->news = c->wait.news;
    if (c->wait.how == WAIT_NONE)
        c->source->ops->close(c->source);
}

static void count_set_aside(struct account *a, struct session *s)
{
    unsigned count;
    struct err e;

    if (journal_quarantine_count(session_journal(s), &count, &e) == 0)
        a->now_set_aside = count;
}

static void pass(struct connection *c)
{
    struct account *a = c->account;
    struct session_options options = { .oversize = a->oversize,
                                       .progress = &a->progress,
                                       .sessions = conf_of(a)->max_sessions };
    int64_t began_ms = clock_mono_ms(), began = clock_wall();
    struct session *session = NULL;
    struct err e = ERR_INIT;
    struct last_turn turn = { .what = LAST_AS_BEFORE };
    struct hooks hooks;

    a->result = calloc(1, sizeof(*a->result));
    if (a->result == NULL)
        return;
    turn.row = a->row;
    options.turn = &turn;
    hooks_begin(&hooks, conf_of(a), a->conf, &options.observer);
    if (need_source(c, &e) == 0) {
        options.source = c->source;
        if (session_open(conf_of(a), a->conf, &options, &session, &e) == 0) {
            session_pass(session, a->result);
            count_set_aside(a, session);
        }
    }
    if (session == NULL) {
        a->result->err = e;
        /* Whoever holds the lock writes the result. */
        if (e.code != E_LOCKED)
            last_write_error(conf_of(a), a->conf, began, &e, &turn);
    }
    session_close(&session);
    a->took_ms = clock_mono_ms() - began_ms;
    if (c->source != NULL) {
        a->login_delay_s = c->source->login_delay_s;
        begin_to_wait(c);
    }
    a->row = turn.row;
    hooks_end(&hooks, a->result, &turn);
}

static void open_further(struct connection *c)
{
    struct err e;

    if (need_source(c, &e) != 0 || c->source->ops->open(c->source, &e) != 0)
        lost(c, &e);
    else
        begin_to_wait(c);
}

static void look(struct connection *c)
{
    struct source *s = c->source;
    struct err e;
    int rc = c->errand == ERRAND_READ ? s->ops->wait_read(s, &c->looked, &e) : s->ops->wait_renew(s, &c->looked, &e);

    if (rc != 0)
        lost(c, &e);
    else
        c->news = c->looked.news;
}

void errand_run(struct job *job)
{
    struct connection *c = (struct connection *)job;

    log_account(c->account->conf->name);
    c->news = false;
    c->err = E_NONE;
    switch (c->errand) {
    case ERRAND_PASS:
        pass(c);
        break;
    case ERRAND_OPEN:
        open_further(c);
        break;
    case ERRAND_READ:
    case ERRAND_RENEW:
        look(c);
        break;
    case ERRAND_CLOSE:
        if (c->source != NULL)
            c->source->ops->free(c->source);
        c->source = NULL;
        break;
    }
    log_account(NULL);
}
