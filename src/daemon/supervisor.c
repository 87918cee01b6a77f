/* SPDX-License-Identifier: MIT */
#include "daemon/supervisor.h"

#include "base/clock.h"
#include "base/stop.h"

struct supervisor {
    struct loop loop;
    const struct conf *conf; /* borrowed */
    struct supervisor_options options;
    struct supervisor_hooks hooks;
    int64_t since;
    bool reload_asked;
};

const char *account_doing_name(enum account_doing doing)
{
    static const char *const names[] = {
        [ACCOUNT_QUEUED] = "queued",     [ACCOUNT_RUNNING] = "fetching",    [ACCOUNT_WAITING] = "waiting",
        [ACCOUNT_SLEEPING] = "sleeping", [ACCOUNT_BACKOFF] = "backing off", [ACCOUNT_STOPPED] = "stopped"
    };

    return names[doing];
}

int supervisor_new(const struct conf *c, const struct supervisor_options *options, struct supervisor **out,
                   struct err *e)
{
    struct supervisor *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return err_nomem(e);
    s->conf = c;
    s->options = *options;
    s->since = clock_wall();
    if (loop_init(&s->loop, e) != 0) {
        free(s);
        return -1;
    }
    *out = s;
    return 0;
}

int supervisor_run(struct supervisor *s, size_t *left_out, struct err *e)
{
    *left_out = 0;
    if (s->hooks.ready != NULL)
        s->hooks.ready(s->hooks.ctx);
    while (stop_requested() == 0) {
        if (s->reload_asked && s->hooks.reload != NULL)
            s->hooks.reload(s->hooks.ctx);
        s->reload_asked = false;
        if (loop_round(&s->loop, 1000, e) != 0)
            return -1;
    }
    if (s->hooks.stopping != NULL)
        s->hooks.stopping(s->hooks.ctx);
    return 0;
}

void supervisor_free(struct supervisor **sp)
{
    if (*sp != NULL)
        loop_release(&(*sp)->loop);
    free(*sp);
    *sp = NULL;
}

struct loop *supervisor_loop(struct supervisor *s)
{
    return &s->loop;
}

const struct conf *supervisor_conf(const struct supervisor *s)
{
    return s->conf;
}

int64_t supervisor_since(const struct supervisor *s)
{
    return s->since;
}

size_t supervisor_count(const struct supervisor *s)
{
    return s->conf->account_count;
}

void supervisor_status(const struct supervisor *s, size_t i, struct account_status *out)
{
    *out = (struct account_status){ .name = s->conf->accounts[i]->name, .error = "", .error_name = "" };
}

size_t supervisor_find(const struct supervisor *s, const char *name)
{
    for (size_t i = 0; i < s->conf->account_count; i++) {
        if (strcmp(s->conf->accounts[i]->name, name) == 0)
            return i;
    }
    return SIZE_MAX;
}

int supervisor_fetch(struct supervisor *s, const char *const *names, size_t count, struct fetch_request *request,
                     struct err *e)
{
    (void)s;
    (void)names;
    (void)count;
    (void)request;
    return err_set(e, E_BUSY, "the daemon is not ready for that");
}

void supervisor_fetch_forget(struct supervisor *s, struct fetch_request *request)
{
    (void)s;
    (void)request;
}

int supervisor_reload(struct supervisor *s, struct conf *c, struct reload_result *out, struct err *e)
{
    (void)s;
    (void)c;
    *out = (struct reload_result){ 0 };
    return err_set(e, E_BUSY, "the daemon is not ready for that");
}

void supervisor_set_hooks(struct supervisor *s, const struct supervisor_hooks *hooks)
{
    s->hooks = *hooks;
}

void supervisor_ask_reload(struct supervisor *s)
{
    s->reload_asked = true;
}

void supervisor_signal(int signal)
{
    (void)signal;
}
