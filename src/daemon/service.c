/* SPDX-License-Identifier: MIT */
#include "daemon/service.h"

#include <stdio.h>

#include "base/clock.h"
#include "daemon/places.h"
#include "daemon/sdnotify.h"
#include "run/session.h"
#include "store/watch.h"

enum { STATUS_MS = 1000 };

struct service {
    struct supervisor *supervisor;
    char *path; /* of the main file */
    struct watch *watch;
    struct places places;
    struct loop_watch changes;
    struct loop_timer settled, status, watchdog;
    struct settle settle;
    struct sdnotify manager;
};

/* ---- reload ---- */

/* What only OpenSSL can judge, as at the start. */
static bool all_right(const struct conf *c)
{
    const struct conf_account **enabled = calloc(c->account_count + 1, sizeof(*enabled));
    size_t n = 0;
    bool right = false;

    for (size_t i = 0; enabled != NULL && i < c->account_count; i++) {
        if (c->accounts[i]->enabled)
            enabled[n++] = c->accounts[i];
    }
    if (enabled != NULL)
        right = session_all_right(enabled, n);
    free(enabled);
    return right;
}

static void put_words(const struct reload_result *r, char *out, size_t size)
{
    if (r->added + r->changed + r->removed == 0)
        snprintf(out, size, "the configuration was read again: no account has changed");
    else
        snprintf(out, size,
                 "the configuration was read again: %zu account%s added, %zu changed, %zu removed, %zu as before",
                 r->added, r->added == 1 ? "" : "s", r->changed, r->removed, r->kept);
}

static void say(struct service *v, const struct reload_result *r, bool asked)
{
    bool news = r->added + r->changed + r->removed > 0;
    char words[256], fixed[640];

    put_words(r, words, sizeof(words));
    snprintf(fixed, sizeof(fixed), "%s; another %s takes effect when the daemon is started again", words, r->fixed);
    supervisor_note_reload(v->supervisor, true, r->fixed[0] != '\0' ? fixed : words);
    if (r->fixed[0] != '\0')
        log_warn("the configuration has another %s, which takes effect when the daemon is started again", r->fixed);
    log_at(asked || news ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, "%s", words);
}

static void load(struct service *v, bool asked)
{
    static const char bad[] = "the configuration has mistakes: the daemon goes on with the one that it has";
    struct conf *c = NULL;
    struct reload_result result = { 0 };
    struct err e = ERR_INIT;

    if (conf_load(v->path, &c, &e) != 0 || !all_right(c)) {
        log_error("%s", bad);
        supervisor_note_reload(v->supervisor, false, bad);
        conf_free(&c);
    } else if (supervisor_reload(v->supervisor, c, &result, &e) != 0) {
        log_error("the new configuration could not be taken: %s", e.text);
        supervisor_note_reload(v->supervisor, false, e.text);
        conf_free(&c);
    } else {
        say(v, &result, asked);
    }
}

/* ---- watching ---- */

static void changed(void *ctx, unsigned id, const char *name)
{
    struct service *v = ctx;

    if (places_has(&v->places, id, name))
        settle_note(&v->settle, clock_mono_ms());
}

static void give_up_watching(struct service *v, const struct err *e)
{
    log_warn("%s; a changed configuration is taken with `mailhaul reload` alone", e->text);
    loop_unwatch(supervisor_loop(v->supervisor), &v->changes);
    loop_cancel(supervisor_loop(v->supervisor), &v->settled);
    watch_free(&v->watch);
}

static void read_again(struct service *v, bool asked)
{
    struct err e = ERR_INIT;

    sdnotify_reloading(&v->manager);
    v->settle = (struct settle){ .pending = false };
    /* First the watch: what is saved while the files are read is told. */
    if (v->watch != NULL && places_watch(&v->places, v->watch, v->path, &e) != 0)
        give_up_watching(v, &e);
    load(v, asked);
    sdnotify_ready(&v->manager);
}

static void wait_until_settled(struct service *v)
{
    if (v->settle.pending)
        loop_at(supervisor_loop(v->supervisor), &v->settled, settle_due(&v->settle));
}

static void on_changes(void *ctx, unsigned events)
{
    struct service *v = ctx;
    struct err e = ERR_INIT;

    (void)events;
    if (watch_read(v->watch, &e) != 0)
        give_up_watching(v, &e);
    wait_until_settled(v);
}

static void on_settled(void *ctx)
{
    struct service *v = ctx;

    if (settle_take(&v->settle, clock_mono_ms()))
        read_again(v, false);
    else
        wait_until_settled(v);
}

/* ---- the service manager ---- */

static void describe(const struct service *v, struct buf *out)
{
    static const char *const words[] = {
        [ACCOUNT_QUEUED] = "queued",     [ACCOUNT_RUNNING] = "fetching",    [ACCOUNT_WAITING] = "told of new mail",
        [ACCOUNT_SLEEPING] = "sleeping", [ACCOUNT_BACKOFF] = "backing off", [ACCOUNT_STOPPED] = "stopped"
    };
    size_t count = supervisor_count(v->supervisor), doing[ARRAY_LEN(words)] = { 0 };

    for (size_t i = 0; i < count; i++) {
        struct account_status status;

        supervisor_status(v->supervisor, i, &status);
        doing[status.doing]++;
    }
    if (buf_putf(out, "%zu account%s", count, count == 1 ? "" : "s") != 0)
        return;
    for (size_t i = 0, listed = 0; i < ARRAY_LEN(words); i++) {
        if (doing[i] > 0 && buf_putf(out, "%s%zu %s", listed++ == 0 ? ": " : ", ", doing[i], words[i]) != 0)
            return;
    }
}

static void on_status(void *ctx)
{
    struct service *v = ctx;
    struct buf words = BUF_INIT(300);

    describe(v, &words);
    sdnotify_status(&v->manager, buf_cstr(&words));
    buf_release(&words);
}

static void status_hook(void *ctx)
{
    struct service *v = ctx;

    if (v->manager.fd >= 0 && !v->status.set)
        loop_at(supervisor_loop(v->supervisor), &v->status, clock_mono_ms() + STATUS_MS);
}

static void on_watchdog(void *ctx)
{
    struct service *v = ctx;

    sdnotify_watchdog(&v->manager);
    loop_at(supervisor_loop(v->supervisor), &v->watchdog, clock_mono_ms() + sdnotify_watchdog_ms(&v->manager));
}

static void ready_hook(void *ctx)
{
    struct service *v = ctx;

    sdnotify_ready(&v->manager);
    if (sdnotify_watchdog_ms(&v->manager) > 0)
        on_watchdog(v);
}

static void stopping_hook(void *ctx)
{
    struct service *v = ctx;

    sdnotify_stopping(&v->manager);
}

/* logrotate(8) says by SIGHUP that the log was moved away, too. */
static void reload_hook(void *ctx)
{
    struct service *v = ctx;
    struct err e = ERR_INIT;

    if (log_reopen(&e) != 0)
        log_error("%s", e.text);
    read_again(v, true);
}

/* ---- its life ---- */

static void begin_to_watch(struct service *v)
{
    struct err e = ERR_INIT;

    if (watch_new(changed, v, &v->watch, &e) != 0) {
        give_up_watching(v, &e);
        return;
    }
    v->changes = (struct loop_watch){ .fd = watch_fd(v->watch), .ready = on_changes, .ctx = v };
    if (places_watch(&v->places, v->watch, v->path, &e) != 0 ||
        loop_watch(supervisor_loop(v->supervisor), &v->changes, EPOLLIN, &e) != 0)
        give_up_watching(v, &e);
}

int service_new(struct supervisor *s, struct service **out, struct err *e)
{
    struct service *v = calloc(1, sizeof(*v));

    if (v == NULL || (v->path = strdup(supervisor_conf(s)->path)) == NULL) {
        free(v);
        return err_nomem(e);
    }
    v->supervisor = s;
    v->settled = (struct loop_timer){ .due = on_settled, .ctx = v };
    v->status = (struct loop_timer){ .due = on_status, .ctx = v };
    v->watchdog = (struct loop_timer){ .due = on_watchdog, .ctx = v };
    sdnotify_init(&v->manager);
    begin_to_watch(v);
    supervisor_set_hooks(
        s,
        &(struct supervisor_hooks){
            .ctx = v, .reload = reload_hook, .ready = ready_hook, .stopping = stopping_hook, .status = status_hook });
    *out = v;
    return 0;
}

void service_free(struct service **vp)
{
    struct service *v = *vp;

    if (v == NULL)
        return;
    supervisor_set_hooks(v->supervisor, &(struct supervisor_hooks){ .ctx = NULL });
    if (v->watch != NULL)
        loop_unwatch(supervisor_loop(v->supervisor), &v->changes);
    loop_cancel(supervisor_loop(v->supervisor), &v->settled);
    loop_cancel(supervisor_loop(v->supervisor), &v->status);
    loop_cancel(supervisor_loop(v->supervisor), &v->watchdog);
    watch_free(&v->watch);
    sdnotify_release(&v->manager);
    places_release(&v->places);
    free(v->path);
    free(v);
    *vp = NULL;
}
