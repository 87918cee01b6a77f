/* SPDX-License-Identifier: MIT */
#include "daemon/supervisor.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/stop.h"
#include "daemon/account.h"
#include "daemon/environ.h"
#include "daemon/fetches.h"
#include "net/digest.h"
#include "run/session.h"

enum {
    TICK_MS = 10 * 1000,
    /* Longer than the grace of base/stop.h, and less than the five seconds it may take. */
    STOP_MS = 4500,
    TRIM_MS = 5000,
};

struct accounts {
    struct account **v; /* owned */
    size_t count, cap;
};

struct supervisor {
    struct loop loop;
    struct workers *workers;
    struct environ environ;
    struct account_world world;
    struct supervisor_options options;
    struct supervisor_hooks hooks;
    struct edition **editions; /* owned; the newest is the last */
    size_t edition_count, edition_cap;
    struct accounts accounts; /* in the order of the newest configuration */
    struct accounts leaving, left;
    struct fetches fetches;
    struct loop_watch stop, done, signals;
    struct loop_timer trim;
    int64_t since;
    bool reload_asked, changed;
    struct reload_outcome outcome;
};

/* --- signals -------------------------------------------------------------------------------------------------- */

static volatile sig_atomic_t hung_up, user_signal;
static int signal_event = -1;

void supervisor_signal(int signal)
{
    uint64_t one = 1;
    int saved = errno;

    *(signal == SIGHUP ? &hung_up : &user_signal) = 1;
    if (signal_event >= 0 && write(signal_event, &one, sizeof(one)) < 0)
        errno = saved;
    errno = saved;
}

static void signalled(void *ctx, unsigned events)
{
    struct supervisor *s = ctx;
    struct err e = ERR_INIT;
    uint64_t count;

    (void)events;
    if (read(signal_event, &count, sizeof(count)) < 0)
        return;
    if (hung_up) {
        hung_up = 0;
        if (log_reopen(&e) != 0)
            log_error("%s", e.text);
        supervisor_ask_reload(s);
    }
    if (user_signal) {
        user_signal = 0;
        log_info("fetching all accounts now");
        if (supervisor_fetch(s, NULL, 0, NULL, &e) != 0)
            log_error("%s", e.text);
    }
}

/* --- accounts ------------------------------------------------------------------------------------------------- */

static int add(struct accounts *list, struct account *a, struct err *e)
{
    if (list->count == list->cap) {
        struct account **v = array_grow(list->v, &list->cap, sizeof(struct account *));
        if (v == NULL)
            return err_nomem(e);
        list->v = v;
    }
    list->v[list->count++] = a;
    return 0;
}

static void release(struct accounts *list)
{
    for (size_t i = 0; i < list->count; i++)
        account_free(&list->v[i]);
    free(list->v);
    *list = (struct accounts){ 0 };
}

static bool wanted(const struct supervisor *s, const struct conf_account *a)
{
    for (size_t i = 0; i < s->options.name_count; i++) {
        if (strcmp(s->options.names[i], a->name) == 0)
            return true;
    }
    return s->options.name_count == 0 && a->enabled;
}

static struct edition *newest(const struct supervisor *s)
{
    return s->editions[s->edition_count - 1];
}

static int add_edition(struct supervisor *s, const struct conf *c, struct conf *owned, struct err *e)
{
    struct edition *edition;

    if (s->edition_count == s->edition_cap) {
        struct edition **v = array_grow(s->editions, &s->edition_cap, sizeof(struct edition *));
        if (v == NULL)
            return err_nomem(e);
        s->editions = v;
    }
    edition = calloc(1, sizeof(*edition));
    if (edition == NULL)
        return err_nomem(e);
    *edition = (struct edition){ .conf = c, .owned = owned };
    s->editions[s->edition_count++] = edition;
    return 0;
}

static void drop_editions(struct supervisor *s, size_t keep)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->edition_count; i++) {
        struct edition *edition = s->editions[i];

        if (edition->users > 0 || i + keep >= s->edition_count) {
            s->editions[kept++] = edition;
            continue;
        }
        conf_free(&edition->owned);
        free(edition);
    }
    s->edition_count = kept;
}

static int new_account(struct supervisor *s, const struct conf_account *conf, int state_dir, struct accounts *list,
                       struct err *e)
{
    struct account *a;
    struct last last;

    if (account_new(&s->world, newest(s), conf, &a, e) != 0)
        return -1;
    last_read(state_dir, conf->name, &last);
    account_remember(a, &last);
    if (add(list, a, e) != 0) {
        account_free(&a);
        return -1;
    }
    return 0;
}

static int first_accounts(struct supervisor *s, struct err *e)
{
    const struct conf *c = supervisor_conf(s);
    int dir = -1, rc = -1;

    if (session_state_dir(c, true, &dir, e) != 0)
        return -1;
    for (size_t i = 0; i < c->account_count; i++) {
        if (wanted(s, c->accounts[i]) && new_account(s, c->accounts[i], dir, &s->accounts, e) != 0)
            goto out;
    }
    for (size_t i = 0; i < s->accounts.count; i++)
        account_start(s->accounts.v[i], schedule_spread(i));
    rc = 0;
out:
    io_close(&dir);
    return rc;
}

/* --- what accounts tell --------------------------------------------------------------------------------------- */

static void changed(void *ctx, struct account *a)
{
    (void)a;
    ((struct supervisor *)ctx)->changed = true;
}

static void passed(void *ctx, struct account *a)
{
    struct supervisor *s = ctx;

    fetches_passed(&s->fetches, a);
    if (!s->trim.set)
        loop_at(&s->loop, &s->trim, clock_mono_ms() + TRIM_MS);
}

/* It is in the middle of something: freed when the round is over. */
static void left(void *ctx, struct account *a)
{
    struct supervisor *s = ctx;
    struct err e;

    for (size_t i = 0; i < s->leaving.count; i++) {
        if (s->leaving.v[i] != a)
            continue;
        s->leaving.v[i] = s->leaving.v[--s->leaving.count];
        if (add(&s->left, a, &e) != 0)
            s->leaving.count++;
        break;
    }
}

static void trim(void *ctx)
{
    (void)ctx;
    malloc_trim(0);
}

static void jobs_done(void *ctx, unsigned events)
{
    struct supervisor *s = ctx;
    struct job *job;

    (void)events;
    while ((job = workers_done(s->workers)) != NULL)
        account_returned(job);
}

static void environment_changed(void *ctx, bool slept)
{
    struct supervisor *s = ctx;

    for (size_t i = 0; i < s->accounts.count; i++)
        account_check(s->accounts.v[i], slept, schedule_spread(i));
}

static void nothing(void *ctx, unsigned events)
{
    (void)ctx;
    (void)events;
}

/* --- life ----------------------------------------------------------------------------------------------------- */

static int watch(struct supervisor *s, struct loop_watch *w, int fd, void (*fn)(void *, unsigned), struct err *e)
{
    *w = (struct loop_watch){ .fd = fd, .ready = fn, .ctx = s };
    return loop_watch(&s->loop, w, EPOLLIN, e);
}

static int set_up(struct supervisor *s, const struct conf *c, struct err *e)
{
    struct digest first;

    if (add_edition(s, c, NULL, e) != 0 || workers_new(c->max_sessions, &s->workers, e) != 0)
        return -1;
    if (signal_event < 0)
        signal_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (signal_event < 0)
        return err_sys(e, E_NOMEM, errno, "no descriptor for signals");
    /* OpenSSL's own start, which does not survive a lack of memory. */
    if (digest_init(&first, e) != 0)
        return -1;
    digest_release(&first);
    if (watch(s, &s->stop, stop_fd(), nothing, e) != 0 || watch(s, &s->signals, signal_event, signalled, e) != 0 ||
        watch(s, &s->done, workers_fd(s->workers), jobs_done, e) != 0)
        return -1;
    s->trim = (struct loop_timer){ .due = trim };
    s->world = (struct account_world){ .loop = &s->loop,
                                       .workers = s->workers,
                                       .seed = ((uint64_t)clock_wall_us() << 16) ^ (uint64_t)getpid() ^ 1,
                                       .ctx = s,
                                       .changed = changed,
                                       .passed = passed,
                                       .left = left };
    environ_init(&s->environ, &s->loop, environment_changed, s);
    return 0;
}

int supervisor_new(const struct conf *c, const struct supervisor_options *options, struct supervisor **out,
                   struct err *e)
{
    struct supervisor *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return err_nomem(e);
    s->options = *options;
    s->since = clock_wall();
    if (loop_init(&s->loop, e) != 0) {
        free(s);
        return -1;
    }
    environ_none(&s->environ, &s->loop);
    if (set_up(s, c, e) != 0) {
        supervisor_free(&s);
        return -1;
    }
    *out = s;
    return 0;
}

static void call(void (*hook)(void *ctx), void *ctx)
{
    if (hook != NULL)
        hook(ctx);
}

static void after_round(struct supervisor *s)
{
    environ_look(&s->environ);
    for (size_t i = 0; i < s->left.count; i++)
        account_free(&s->left.v[i]);
    s->left.count = 0;
    drop_editions(s, 1);
    workers_kick(s->workers);
    if (s->changed)
        call(s->hooks.status, s->hooks.ctx);
    s->changed = false;
    if (s->reload_asked) {
        s->reload_asked = false;
        call(s->hooks.reload, s->hooks.ctx);
    }
}

static size_t leave(struct supervisor *s)
{
    int64_t until = clock_mono_ms() - STOP_GRACE_MS + stop_grace_ms() + STOP_MS;

    call(s->hooks.stopping, s->hooks.ctx);
    log_debug("stopping");
    for (size_t i = 0; i < s->accounts.count; i++)
        account_hang_up(s->accounts.v[i]);
    for (size_t i = 0; i < s->leaving.count; i++)
        account_hang_up(s->leaving.v[i]);
    fetches_end(&s->fetches);
    return workers_stop(s->workers, until);
}

int supervisor_run(struct supervisor *s, size_t *left_out, struct err *e)
{
    int rc = 0;

    *left_out = 0;
    log_once();
    if (first_accounts(s, e) != 0)
        return -1;
    call(s->hooks.ready, s->hooks.ctx);
    while (stop_requested() == 0 && rc == 0) {
        rc = loop_round(&s->loop, TICK_MS, e);
        after_round(s);
    }
    if (rc != 0)
        stop_request(SIGTERM);
    *left_out = leave(s);
    return rc;
}

void supervisor_free(struct supervisor **sp)
{
    struct supervisor *s = *sp;

    if (s == NULL)
        return;
    release(&s->accounts);
    release(&s->leaving);
    release(&s->left);
    drop_editions(s, 0);
    free(s->editions);
    fetches_release(&s->fetches);
    environ_release(&s->environ);
    workers_free(&s->workers);
    loop_release(&s->loop);
    free(s);
    *sp = NULL;
}

/* --- what others ask ------------------------------------------------------------------------------------------ */

struct loop *supervisor_loop(struct supervisor *s)
{
    return &s->loop;
}

const struct conf *supervisor_conf(const struct supervisor *s)
{
    return newest(s)->conf;
}

int64_t supervisor_since(const struct supervisor *s)
{
    return s->since;
}

const char *account_doing_name(enum account_doing doing)
{
    static const char *const names[] = {
        [ACCOUNT_QUEUED] = "queued",     [ACCOUNT_RUNNING] = "fetching",    [ACCOUNT_WAITING] = "waiting",
        [ACCOUNT_SLEEPING] = "sleeping", [ACCOUNT_BACKOFF] = "backing off", [ACCOUNT_STOPPED] = "stopped"
    };

    return names[doing];
}

size_t supervisor_count(const struct supervisor *s)
{
    return s->accounts.count;
}

void supervisor_status(const struct supervisor *s, size_t i, struct account_status *out)
{
    account_status(s->accounts.v[i], out);
}

static struct account *find(const struct accounts *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->v[i]->conf->name, name) == 0)
            return list->v[i];
    }
    return NULL;
}

size_t supervisor_find(const struct supervisor *s, const char *name)
{
    for (size_t i = 0; i < s->accounts.count; i++) {
        if (strcmp(s->accounts.v[i]->conf->name, name) == 0)
            return i;
    }
    return SIZE_MAX;
}

static int fetch_all(struct supervisor *s, struct fetch_request *request, bool oversize, struct err *e)
{
    for (size_t i = 0; i < s->accounts.count; i++) {
        struct account *a = s->accounts.v[i];

        if (a->doing != ACCOUNT_STOPPED && fetches_ask(&s->fetches, a, oversize, request, e) != 0)
            return -1;
    }
    return 0;
}

int supervisor_fetch(struct supervisor *s, const char *const *names, size_t count, struct fetch_request *request,
                     struct err *e)
{
    bool oversize = request != NULL && request->oversize;

    if (request != NULL) {
        request->left = 0;
        request->status = 0;
    }
    if (count == 0 && fetch_all(s, request, oversize, e) != 0)
        goto failed;
    for (size_t i = 0; i < count; i++) {
        struct account *a = find(&s->accounts, names[i]);

        if (a != NULL && fetches_ask(&s->fetches, a, oversize, request, e) != 0)
            goto failed;
    }
    if (request != NULL)
        fetches_none(request);
    return 0;
failed:
    if (request != NULL)
        fetches_forget(&s->fetches, request);
    return -1;
}

void supervisor_fetch_forget(struct supervisor *s, struct fetch_request *request)
{
    fetches_forget(&s->fetches, request);
}

void supervisor_set_hooks(struct supervisor *s, const struct supervisor_hooks *hooks)
{
    s->hooks = *hooks;
}

void supervisor_ask_reload(struct supervisor *s)
{
    s->reload_asked = true;
}

void supervisor_note_reload(struct supervisor *s, bool taken, const char *words)
{
    s->outcome.count++;
    s->outcome.taken = taken;
    snprintf(s->outcome.words, sizeof(s->outcome.words), "%s", words);
}

const struct reload_outcome *supervisor_reload_outcome(const struct supervisor *s)
{
    return &s->outcome;
}

/* --- a new configuration -------------------------------------------------------------------------------------- */

/* The accounts that the new configuration wants, those that are equal by their old struct. What is new is in `made`
 * too. */
static int choose(struct supervisor *s, int dir, struct accounts *list, struct accounts *made, struct err *e)
{
    const struct conf *c = supervisor_conf(s);

    for (size_t i = 0; i < c->account_count; i++) {
        const struct conf_account *conf = c->accounts[i];
        struct account *old = find(&s->accounts, conf->name);

        if (!wanted(s, conf))
            continue;
        if (old != NULL && conf_account_equal(old->conf, conf)) {
            if (add(list, old, e) != 0)
                return -1;
            continue;
        }
        if (new_account(s, conf, dir, made, e) != 0 || add(list, made->v[made->count - 1], e) != 0)
            return -1;
    }
    return 0;
}

static bool has(const struct accounts *list, const struct account *a)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->v[i] == a)
            return true;
    }
    return false;
}

static void exchange(struct supervisor *s, struct accounts *list, const struct accounts *made,
                     struct reload_result *out)
{
    struct accounts old = s->accounts;

    s->accounts = *list;
    for (size_t i = 0; i < made->count; i++) {
        bool known = find(&old, made->v[i]->conf->name) != NULL;
        out->changed += known;
        out->added += !known;
    }
    for (size_t i = 0; i < old.count; i++) {
        struct account *a = old.v[i];

        if (has(&s->accounts, a)) {
            account_move(a, newest(s));
            out->kept++;
            continue;
        }
        fetches_left(&s->fetches, a);
        s->leaving.v[s->leaving.count++] = a;
        account_leave(a);
    }
    out->removed = old.count - out->kept - out->changed;
    for (size_t i = 0; i < made->count; i++)
        account_start(made->v[i], schedule_spread(i));
    free(old.v);
}

static int reserve(struct accounts *list, size_t more, struct err *e)
{
    size_t cap = list->count + more;
    struct account **v = realloc(list->v, (cap + 1) * sizeof(*v));

    if (v == NULL)
        return err_nomem(e);
    list->v = v;
    list->cap = cap;
    return 0;
}

/* All that can fail comes ahead of the exchange. */
int supervisor_reload(struct supervisor *s, struct conf *c, struct reload_result *out, struct err *e)
{
    const struct conf *before = supervisor_conf(s);
    struct accounts list = { 0 }, made = { 0 };
    struct buf fixed = BUF_INIT(sizeof(out->fixed) - 1);
    int dir = -1;
    size_t same;

    *out = (struct reload_result){ 0 };
    if (add_edition(s, c, c, e) != 0)
        return -1;
    if (session_state_dir(c, true, &dir, e) != 0 || choose(s, dir, &list, &made, e) != 0 ||
        reserve(&s->leaving, s->accounts.count, e) != 0 || conf_carry_over(before, c, &same, &fixed, e) != 0) {
        release(&made);
        free(list.v);
        io_close(&dir);
        buf_release(&fixed);
        newest(s)->owned = NULL;
        free(s->editions[--s->edition_count]);
        return -1;
    }
    io_close(&dir);
    snprintf(out->fixed, sizeof(out->fixed), "%s", buf_cstr(&fixed));
    buf_release(&fixed);
    workers_set_most(s->workers, c->max_sessions);
    exchange(s, &list, &made, out);
    free(made.v);
    s->changed = true;
    return 0;
}
