/* SPDX-License-Identifier: MIT */
#include "daemon/account.h"

#include <stdio.h>
#include <time.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/stop.h"
#include "daemon/errand.h"
#include "run/report.h"

enum {
    /* A server that tells of everything is looked through as often nevertheless: folders may be new, mail may have come
     * of age. */
    FULL_PASS_MS = 3600 * 1000,
    RENEW_JITTER = 10,
    /* Servers that go down leave all of their clients at once. */
    LOST_SPREAD_MS = 500,
    /* A further connection that is lost or refused. */
    REOPEN_FIRST_MS = 1000,
    REOPEN_MOST_MS = 3600 * 1000,
    /* One that was of use for as long begins with the first of these again. */
    HELD_MS = 60 * 1000,
    /* Passes for nothing this far apart are the server's good right. */
    VAIN_APART_MS = 60 * 1000,
};

static uint32_t any(struct account *a)
{
    uint64_t *x = &a->world->seed;

    /* xorshift: jitter needs no secret. */
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return (uint32_t)(*x >> 16);
}

static void set_doing(struct account *a, enum account_doing doing)
{
    if (a->doing == doing)
        return;
    a->doing = doing;
    a->world->changed(a->world->ctx, a);
}

enum account_doing account_doing(const struct account *a)
{
    return a->doing == ACCOUNT_QUEUED && a->first.busy && atomic_load(&a->first.job.started) ? ACCOUNT_RUNNING
                                                                                             : a->doing;
}

/* --- connections ---------------------------------------------------------------------------------------------- */

static void settle_connection(struct connection *c)
{
    loop_unwatch(c->account->world->loop, &c->watch);
    loop_cancel(c->account->world->loop, &c->due);
    c->parked = false;
}

static void send_off(struct connection *c, enum errand errand, bool front)
{
    settle_connection(c);
    c->errand = errand;
    c->job.is_long = errand == ERRAND_PASS || errand == ERRAND_OPEN;
    c->busy = true;
    workers_put(c->account->world->workers, &c->job, front);
}

static void ready(void *ctx, unsigned events)
{
    (void)events;
    send_off(ctx, ERRAND_READ, false);
}

static void due(void *ctx)
{
    struct connection *c = ctx;

    send_off(c, c->parked ? ERRAND_RENEW : ERRAND_OPEN, false);
}

static void init_connection(struct connection *c, struct account *a)
{
    c->account = a;
    c->job.run = errand_run;
    c->watch = (struct loop_watch){ .fd = -1, .ready = ready, .ctx = c };
    c->due = (struct loop_timer){ .due = due, .ctx = c };
    c->wait.fd = -1;
}

static bool park(struct connection *c)
{
    int64_t now = clock_mono_ms(), left = c->wait.renew_ms - now;
    unsigned jitter = c->wait.asked ? 0 : RENEW_JITTER;
    struct err e;

    c->watch.fd = c->wait.fd;
    if (loop_watch(c->account->world->loop, &c->watch, EPOLLIN | EPOLLRDHUP, &e) != 0) {
        log_warn("%s", e.text);
        return false;
    }
    left = left > 0 ? left - (int64_t)(any(c->account) % ((uint64_t)left * jitter / 100 + 1)) : 0;
    loop_at(c->account->world->loop, &c->due, now + left);
    c->parked = true;
    return true;
}

static void wait_no_more(struct connection *c)
{
    wait_state_release(&c->wait);
    c->wait = (struct wait_state){ .fd = -1 };
}

static void free_connection(struct connection *c)
{
    settle_connection(c);
    wait_no_more(c);
    source_folders_release(&c->about);
    if (c->source != NULL)
        c->source->ops->free(c->source);
    c->source = NULL;
}

/* Closed, and nobody's any more. */
static void gone(struct connection *c)
{
    struct account *a = c->account;

    free_connection(c);
    for (size_t i = 0; i < a->further_count; i++) {
        if (a->further[i] == c) {
            a->further[i] = a->further[--a->further_count];
            free(c);
            break;
        }
    }
    if (a->leaving && a->further_count == 0 && !a->first.busy && a->first.source == NULL)
        a->world->left(a->world->ctx, a);
}

static void release_running(struct account *a)
{
    if (a->running != NULL)
        a->running->users--;
    a->running = NULL;
}

/* False: a worker has it. */
static bool take_back(struct connection *c)
{
    if (!c->busy)
        return true;
    if (!workers_take_back(c->account->world->workers, &c->job))
        return false;
    c->busy = false;
    if (c->errand == ERRAND_PASS)
        release_running(c->account);
    return true;
}

static void let_go(struct connection *c)
{
    c->unwanted = true;
    if (!take_back(c))
        return;
    if (c->source != NULL)
        send_off(c, ERRAND_CLOSE, true);
    else
        gone(c);
}

/* --- further connections -------------------------------------------------------------------------------------- */

static bool is_about(const struct connection *c, const struct source_folder *f)
{
    return strcmp(c->about.v[0].name, f->name) == 0;
}

static bool wanted(const struct source_folders *more, size_t most, const struct connection *c)
{
    for (size_t i = 0; i < more->count && i < most; i++) {
        if (is_about(c, &more->v[i]))
            return true;
    }
    return false;
}

static int add_further(struct account *a, const struct source_folder *f, struct err *e)
{
    struct connection *c;

    for (size_t i = 0; i < a->further_count; i++) {
        if (is_about(a->further[i], f) && !a->further[i]->unwanted)
            return 0;
    }
    if (a->further_count == a->further_cap) {
        struct connection **v = array_grow(a->further, &a->further_cap, sizeof(struct connection *));
        if (v == NULL)
            return err_nomem(e);
        a->further = v;
    }
    c = calloc(1, sizeof(*c));
    if (c == NULL)
        return err_nomem(e);
    init_connection(c, a);
    if (source_folders_add(&c->about, f, e) != 0) {
        free(c);
        return -1;
    }
    a->further[a->further_count++] = c;
    send_off(c, ERRAND_OPEN, false);
    return 0;
}

/* One for each folder that the first connection cannot tell about. While that one is down nothing is known. */
static void match_further(struct account *a)
{
    const struct wait_state *wait = &a->first.wait;
    size_t most = a->conf->max_connections > 1 ? a->conf->max_connections - 1 : 0;
    bool none = a->verdict == SCHEDULE_STOPPED || wait->how == WAIT_NOTIFY;
    struct err e;

    if (!none && wait->how == WAIT_NONE)
        return;
    for (size_t i = a->further_count; i-- > 0;) {
        if (!a->further[i]->unwanted && (none || !wanted(&wait->more, most, a->further[i])))
            let_go(a->further[i]);
    }
    for (size_t i = 0; !none && i < wait->more.count && i < most; i++) {
        if (add_further(a, &wait->more.v[i], &e) != 0)
            log_warn("%s", e.text);
    }
    source_folders_release(&a->first.wait.more);
}

static size_t waiting_further(const struct account *a)
{
    size_t n = 0;

    for (size_t i = 0; i < a->further_count; i++)
        n += a->further[i]->parked;
    return n;
}

/* --- passes --------------------------------------------------------------------------------------------------- */

static void start_pass(struct account *a, bool oversize, bool front)
{
    loop_cancel(a->world->loop, &a->next);
    a->begun++;
    a->running = a->edition;
    a->running->users++;
    a->oversize = oversize;
    a->by_news = a->news;
    a->news = a->again = a->again_oversize = a->put_off = false;
    atomic_store(&a->progress.phase, HAUL_WAITING);
    atomic_store(&a->progress.wanted_messages, 0);
    atomic_store(&a->progress.wanted_bytes, 0);
    atomic_store(&a->progress.messages, 0);
    atomic_store(&a->progress.bytes, 0);
    send_off(&a->first, ERRAND_PASS, front);
    set_doing(a, ACCOUNT_QUEUED);
}

/* Every folder has somebody who tells, and nothing waits for its time. */
static bool all_told(const struct account *a)
{
    return a->doing == ACCOUNT_WAITING && a->verdict == SCHEDULE_WELL && !a->news && !a->cut_short &&
           (a->first.wait.how == WAIT_NOTIFY || a->folders <= 1 + waiting_further(a)) &&
           clock_mono_ms() - a->last_pass_ms < FULL_PASS_MS;
}

/* A pass that finds out by itself that the line is dead sits on one of max_sessions all the while. */
static void ask_before_pass(struct account *a)
{
    a->put_off = true;
    if (a->first.parked && !a->first.wait.asked)
        send_off(&a->first, ERRAND_RENEW, false);
}

static void next_due(void *ctx)
{
    struct account *a = ctx;
    int64_t interval_ms = (int64_t)a->conf->interval * 1000;

    if (all_told(a))
        loop_at(a->world->loop, &a->next, clock_mono_ms() + schedule_jitter(interval_ms, RENEW_JITTER, any(a)));
    else if (a->first.busy || a->first.parked)
        ask_before_pass(a);
    else
        start_pass(a, false, false);
}

/* The first connection is nobody's just now. */
static void heed_news(struct account *a, int64_t in_ms)
{
    int64_t wait = schedule_news(&a->schedule, a->conf->interval) + in_ms;

    a->news = true;
    if (wait == 0)
        start_pass(a, false, false);
    else
        loop_at(a->world->loop, &a->next, clock_mono_ms() + wait);
}

static void lost_first(struct account *a)
{
    set_doing(a, ACCOUNT_SLEEPING);
    heed_news(a, 1 + any(a) % LOST_SPREAD_MS);
}

static int today(int64_t wall)
{
    time_t t = (time_t)wall;
    struct tm tm;

    return localtime_r(&t, &tm) != NULL ? tm.tm_year * 400 + tm.tm_yday : 0;
}

static void add_up(struct account *a)
{
    const struct haul_result *r = a->result;
    struct account_totals *t = &a->totals;

    if (t->day != today(a->ended)) {
        t->day = today(a->ended);
        t->messages_today = t->bytes_today = 0;
    }
    t->messages_today += r->messages;
    t->bytes_today += r->bytes;
    t->messages += r->messages;
    t->bytes += r->bytes;
    t->passes++;
    t->failed_passes += r->err.code != E_NONE;
}

/* Once for each change; what goes on as it was is for those who look closely. */
static void tell(const struct account *a, unsigned failures, const char *words)
{
    const struct haul_result *r = a->result;
    /* Each of these was warned of. */
    bool told = r->err_told || r->err.code == E_MESSAGE;
    struct buf line = BUF_INIT(1024);

    if (a->verdict == SCHEDULE_STOPPED)
        log_error("%s; this was refused twice, so that it is not tried again before the account's section is changed, "
                  "or `mailhaul reload` or `mailhaul fetch %s` asks for it",
                  words, a->conf->name);
    else if (a->verdict == SCHEDULE_LOCKED && a->schedule.locked == 1)
        log_info("%s; waiting until it is done", words);
    else if (r->err.code != E_NONE && (told || r->err.code == a->error_code || a->verdict == SCHEDULE_LOCKED))
        log_debug("%s", words);
    else if (r->err.code != E_NONE)
        log_error("%s", words);
    else if (failures > 0)
        log_info("works again after %u failed pass%s", failures, failures == 1 ? "" : "es");
    if (r->err.code == E_NONE && failures > 0)
        log_news(a->conf->name);
    if ((r->messages > 0 || r->removed > 0 || r->skipped > 0 || r->quarantined > 0 || r->known_again > 0) &&
        report_summary(r, false, &line) == 0)
        log_info("%s", buf_cstr(&line));
    buf_release(&line);
}

/* Words that there is no memory for are missed by status alone. */
static void set_error(struct account *a, const char *words)
{
    free(a->error);
    a->error = words[0] != '\0' ? strdup(words) : NULL;
}

static void note_result(struct account *a, unsigned failures)
{
    const struct haul_result *r = a->result;
    char words[ERR_TEXT_MAX + ERR_PEER_MAX] = "";

    if (r->err.code != E_NONE)
        err_format(&r->err, words, sizeof(words));
    a->ended = clock_wall();
    add_up(a);
    log_account(a->conf->name);
    tell(a, failures, words);
    log_account(NULL);
    if (a->verdict == SCHEDULE_LOCKED)
        return;
    if (r->err.code == E_NONE)
        a->last_success = a->ended;
    set_error(a, words);
    snprintf(a->error_name, sizeof(a->error_name), "%s", r->err.code != E_NONE ? err_name(r->err.code) : "");
    a->error_code = r->err.code;
    a->exit_status = report_exit_status(r);
    a->set_aside = a->now_set_aside;
    a->folders = r->folders;
    a->cut_short = a->conf->max_messages > 0 && r->messages >= a->conf->max_messages;
}

/* What comes after a pass. */
static void go_on(struct account *a, int64_t delay_ms)
{
    struct connection *c = &a->first;
    bool fine = a->verdict == SCHEDULE_WELL || a->verdict == SCHEDULE_PARTLY;
    bool waits = c->wait.how != WAIT_NONE;

    if (a->again) {
        start_pass(a, a->again_oversize, true);
        return;
    }
    if (a->verdict == SCHEDULE_STOPPED) {
        set_doing(a, ACCOUNT_STOPPED);
        if (c->source != NULL)
            c->source->ops->close(c->source);
        wait_no_more(c);
        return;
    }
    loop_at(a->world->loop, &a->next, clock_mono_ms() + delay_ms);
    if (waits && park(c))
        set_doing(a, ACCOUNT_WAITING);
    else if (fine && c->err != E_NONE)
        lost_first(a);
    else
        set_doing(a, a->verdict == SCHEDULE_FAILED ? ACCOUNT_BACKOFF : ACCOUNT_SLEEPING);
    if (fine && waits && (c->news || a->news))
        heed_news(a, 0);
}

/* A pass that there was no memory for is made another time. */
static void pass_ended(struct account *a)
{
    const struct haul_result *r = a->result;
    const struct schedule_limits limits = { .interval_s = a->conf->interval, .login_delay_s = a->login_delay_s };
    unsigned failures = a->schedule.failures;
    int64_t delay_ms;

    release_running(a);
    if (r == NULL) {
        a->first.busy = false;
        loop_at(a->world->loop, &a->next, clock_mono_ms() + (int64_t)a->conf->interval * 1000);
        set_doing(a, ACCOUNT_BACKOFF);
        if (a->leaving)
            account_leave(a);
        return;
    }
    /* It is over for everybody. */
    if (r->err.code == E_STOPPED) {
        a->first.busy = false;
        return;
    }
    a->verdict = schedule_passed(&a->schedule, &r->err, &limits, any(a), &delay_ms);
    if (clock_mono_ms() - a->last_pass_ms > VAIN_APART_MS)
        a->schedule.vain = 0;
    if (a->by_news)
        schedule_news_passed(&a->schedule, r->messages > 0 || r->removed > 0 || r->known_again > 0);
    a->last_pass_ms = clock_mono_ms();
    note_result(a, failures);
    /* Whoever asks for a fetch in here wants another one. */
    a->world->passed(a->world->ctx, a);
    free(a->result);
    a->result = NULL;
    a->first.busy = false;
    if (a->leaving) {
        let_go(&a->first);
        return;
    }
    match_further(a);
    go_on(a, delay_ms);
}

/* --- what comes back from the workers ------------------------------------------------------------------------- */

static void reopen_later(struct connection *c)
{
    int64_t ms = REOPEN_FIRST_MS;

    if (c->opened_ms != 0 && clock_mono_ms() - c->opened_ms > HELD_MS)
        c->lost = 0;
    c->opened_ms = 0;
    for (unsigned i = 0; i < c->lost && ms < REOPEN_MOST_MS; i++)
        ms *= 2;
    c->lost++;
    if (ms > REOPEN_MOST_MS || c->err == E_AUTH)
        ms = REOPEN_MOST_MS;
    loop_at(c->account->world->loop, &c->due, clock_mono_ms() + schedule_jitter(ms, RENEW_JITTER, any(c->account)));
}

static void further_returned(struct connection *c)
{
    struct account *a = c->account;
    bool news = c->news; /* a worker may have the connection again before this is over */

    if (c->errand == ERRAND_OPEN)
        c->opened_ms = clock_mono_ms();
    /* The server has ended the IDLE: another one, on the same connection. */
    if (c->err == E_NONE && c->wait.how == WAIT_NONE && c->errand != ERRAND_OPEN)
        send_off(c, ERRAND_OPEN, false);
    else if (c->err != E_NONE || c->wait.how == WAIT_NONE || !park(c))
        reopen_later(c);
    if (!news)
        return;
    if (a->first.busy)
        a->news = true;
    else if (a->doing == ACCOUNT_WAITING || a->doing == ACCOUNT_SLEEPING)
        heed_news(a, 0);
}

static void first_returned(struct connection *c)
{
    struct account *a = c->account;

    if (a->again)
        start_pass(a, a->again_oversize, true);
    else if (c->err == E_NONE && a->put_off && !c->wait.asked)
        start_pass(a, false, false);
    else if (c->err != E_NONE || !park(c))
        lost_first(a);
    else if (c->news || a->news)
        heed_news(a, 0);
}

static void note_look(struct connection *c)
{
    bool looked = c->errand == ERRAND_READ || c->errand == ERRAND_RENEW;

    if (c->err != E_NONE) {
        wait_no_more(c);
        c->account->totals.renewed += looked;
    } else if (looked) {
        c->wait.how = c->looked.how;
        c->wait.asked = c->looked.asked;
        c->wait.renew_ms = c->looked.renew_ms;
    }
}

void account_returned(struct job *job)
{
    struct connection *c = (struct connection *)job;
    struct account *a = c->account;
    bool first = c == &a->first;

    if (first && c->errand == ERRAND_PASS) {
        pass_ended(a);
        return;
    }
    c->busy = false;
    note_look(c);
    if (c->errand == ERRAND_CLOSE)
        gone(c);
    else if (c->unwanted)
        let_go(c);
    else if (stop_requested() != 0)
        return;
    else if (first)
        first_returned(c);
    else
        further_returned(c);
}

/* --- from outside --------------------------------------------------------------------------------------------- */

int account_new(struct account_world *world, struct edition *edition, const struct conf_account *conf,
                struct account **out, struct err *e)
{
    struct account *a = calloc(1, sizeof(*a));

    if (a == NULL)
        return err_nomem(e);
    a->world = world;
    a->edition = edition;
    edition->users++;
    a->conf = conf;
    a->doing = ACCOUNT_SLEEPING;
    a->next = (struct loop_timer){ .due = next_due, .ctx = a };
    init_connection(&a->first, a);
    *out = a;
    return 0;
}

void account_remember(struct account *a, const struct last *last)
{
    a->ended = last->ended;
    a->last_success = last->last_success;
    a->exit_status = last->exit_status;
    set_error(a, last->error);
    snprintf(a->error_name, sizeof(a->error_name), "%s", last->error_name);
}

void account_start(struct account *a, int64_t in_ms)
{
    if (in_ms == 0)
        start_pass(a, false, false);
    else
        loop_at(a->world->loop, &a->next, clock_mono_ms() + in_ms);
}

void account_fetch(struct account *a, bool oversize)
{
    if (a->leaving)
        return;
    if (take_back(&a->first)) {
        start_pass(a, oversize || (a->doing == ACCOUNT_QUEUED && a->oversize), true);
        return;
    }
    a->again = true;
    a->again_oversize |= oversize;
}

static bool of_the_network(const struct account *a)
{
    return a->error_code == E_NET || a->error_code == E_TIMEOUT || a->error_code == E_TLS;
}

void account_check(struct account *a, bool slept, int64_t in_ms)
{
    bool asleep = (a->doing == ACCOUNT_SLEEPING && slept) || (a->doing == ACCOUNT_BACKOFF && of_the_network(a));

    if (a->leaving)
        return;
    if (a->first.parked)
        send_off(&a->first, ERRAND_RENEW, false);
    for (size_t i = 0; i < a->further_count; i++) {
        struct connection *c = a->further[i];

        if (c->parked)
            send_off(c, ERRAND_RENEW, false);
        else if (!c->busy)
            loop_at(a->world->loop, &c->due, clock_mono_ms() + in_ms);
    }
    if (asleep && !a->first.busy)
        loop_at(a->world->loop, &a->next, clock_mono_ms() + in_ms);
}

void account_move(struct account *a, struct edition *edition)
{
    a->edition->users--;
    a->edition = edition;
    edition->users++;
    /* What gives the password may give another one by now. */
    if (a->doing == ACCOUNT_STOPPED)
        account_fetch(a, false);
}

void account_leave(struct account *a)
{
    a->leaving = true;
    a->again = a->news = a->put_off = false;
    loop_cancel(a->world->loop, &a->next);
    for (size_t i = a->further_count; i-- > 0;) {
        if (!a->further[i]->unwanted)
            let_go(a->further[i]);
    }
    let_go(&a->first);
}

/* By workers: where the connection is a program's (tunnel), its end is waited for. */
static void hang_up(struct connection *c)
{
    if (c->parked)
        send_off(c, ERRAND_CLOSE, false);
    else
        settle_connection(c);
}

void account_hang_up(struct account *a)
{
    hang_up(&a->first);
    for (size_t i = 0; i < a->further_count; i++)
        hang_up(a->further[i]);
}

void account_status(const struct account *a, struct account_status *out)
{
    const struct connection *c = &a->first;
    const struct account_totals *t = &a->totals;
    int64_t now = clock_wall();

    *out = (struct account_status){ .name = a->conf->name,
                                    .doing = account_doing(a),
                                    .phase = atomic_load(&a->progress.phase),
                                    .running_wanted = atomic_load(&a->progress.wanted_messages),
                                    .running_messages = atomic_load(&a->progress.messages),
                                    .running_wanted_bytes = atomic_load(&a->progress.wanted_bytes),
                                    .running_bytes = atomic_load(&a->progress.bytes),
                                    .connections = waiting_further(a),
                                    .last_pass = a->ended,
                                    .last_success = a->last_success,
                                    .failures = a->schedule.failures,
                                    .error = a->error != NULL ? a->error : "",
                                    .error_name = a->error_name,
                                    .exit_status = a->exit_status,
                                    .messages = t->messages,
                                    .bytes = t->bytes,
                                    .passes = t->passes,
                                    .failed_passes = t->failed_passes,
                                    .renewed = t->renewed,
                                    .set_aside = a->set_aside };
    if (t->day == today(now)) {
        out->messages_today = t->messages_today;
        out->bytes_today = t->bytes_today;
    }
    if (out->doing == ACCOUNT_WAITING) {
        out->how = c->wait.how;
        out->folder = c->wait.folder;
        out->connections++;
    }
    if (a->next.set)
        out->next_pass = now + (a->next.at_ms - clock_mono_ms()) / 1000;
}

void account_free(struct account **ap)
{
    struct account *a = *ap;

    if (a == NULL)
        return;
    loop_cancel(a->world->loop, &a->next);
    free_connection(&a->first);
    for (size_t i = 0; i < a->further_count; i++) {
        free_connection(a->further[i]);
        free(a->further[i]);
    }
    free(a->further);
    free(a->error);
    free(a->result);
    release_running(a);
    a->edition->users--;
    free(a);
    *ap = NULL;
}
