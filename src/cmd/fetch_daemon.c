/* SPDX-License-Identifier: MIT */
#include "base/base.h"

#include "cmd/fetch_daemon.h"

#include "base/clock.h"
#include "daemon/control_client.h"
#include "run/progress.h"
#include "run/report.h"

struct errand {
    const struct cmd_options *o;
    const struct pool_options *options;
    struct haul_progress *counters; /* owned, as the next two; one an account */
    struct progress_line *lines;
    char **summaries; /* NULL: not done */
    bool *done;
    int status;
};

static size_t find(const struct errand *f, const char *name)
{
    size_t i = 0;

    while (i < f->o->account_count && (name == NULL || strcmp(f->o->accounts[i]->name, name) != 0))
        i++;
    return i;
}

static uint64_t count_of(const json_t *o, const char *key)
{
    json_int_t v = json_integer_value(json_object_get(o, key));

    return v > 0 ? (uint64_t)v : 0;
}

static void take_progress(struct errand *f, size_t i, const json_t *o)
{
    struct haul_progress *p = &f->counters[i];
    uint64_t phase = count_of(o, "phase");

    atomic_store(&p->messages, count_of(o, "messages"));
    atomic_store(&p->bytes, count_of(o, "bytes"));
    atomic_store(&p->wanted_messages, count_of(o, "wanted_messages"));
    atomic_store(&p->wanted_bytes, count_of(o, "wanted_bytes"));
    atomic_store(&p->phase, phase <= HAUL_FINISHED ? (int)phase : HAUL_WAITING);
    if (!atomic_load(&f->lines[i].active))
        f->lines[i].began_ms = clock_mono_ms();
    atomic_store(&f->lines[i].active, true);
}

static void print(const json_t *o)
{
    char *text = json_dumps(o, JSON_COMPACT);

    if (text != NULL)
        report_json_line(text);
    free(text);
}

static void take_done(struct errand *f, size_t i, const json_t *done, const char *summary)
{
    const char *error = json_string_value(json_object_get(done, "error"));
    int status = (int)json_integer_value(json_object_get(done, "exit_status"));

    atomic_store(&f->lines[i].active, false);
    f->done[i] = true;
    f->status = report_worse(f->status, status);
    free(f->summaries[i]);
    f->summaries[i] = strdup(summary != NULL ? summary : "");
    log_account(f->o->accounts[i]->name);
    if (error != NULL)
        log_error("%s", error);
    else if (status != EXIT_OK)
        log_warn("%s; the daemon's log says more", summary != NULL ? summary : "there was trouble");
    log_account(NULL);
    if (f->options->json)
        print(done);
}

static void take(struct errand *f, const json_t *o)
{
    size_t i = find(f, json_string_value(json_object_get(o, "account")));
    const json_t *progress = json_object_get(o, "progress"), *message = json_object_get(o, "message");
    const json_t *done = json_object_get(o, "done");

    if (i == f->o->account_count)
        return;
    if (json_is_object(progress))
        take_progress(f, i, progress);
    if (json_is_object(message) && f->options->json)
        print(message);
    if (json_is_object(done))
        take_done(f, i, done, json_string_value(json_object_get(o, "summary")));
}

static int talk(struct errand *f, struct control_client *client, struct err *e)
{
    for (bool end = false; !end;) {
        json_t *o;

        if (control_client_read(client, &o, e) != 0)
            return -1;
        end = json_is_true(json_object_get(o, "end"));
        if (end && json_is_string(json_object_get(o, "error")))
            log_warn("the daemon: %s", json_string_value(json_object_get(o, "error")));
        take(f, o);
        json_decref(o);
    }
    return 0;
}

static int ask(const struct errand *f, const struct conf *c, struct control_client **out, struct err *e)
{
    size_t n = f->o->account_count;
    struct control_request request = { .what = CONTROL_FETCH,
                                       .oversize = f->options->oversize,
                                       .messages = f->options->json,
                                       .accounts = calloc(n + 1, sizeof(*request.accounts)),
                                       .account_count = n };
    int rc = -1;

    if (request.accounts != NULL) {
        for (size_t i = 0; i < n; i++)
            request.accounts[i] = f->o->accounts[i]->name;
        rc = control_client_ask(c->state_dir, &request, out, e);
    } else {
        err_nomem(e);
    }
    free(request.accounts);
    return rc;
}

static void sum_up(const struct errand *f)
{
    for (size_t i = 0; i < f->o->account_count; i++) {
        if (f->done[i] && f->summaries[i] != NULL)
            log_info("%s: %s", f->o->accounts[i]->name, f->summaries[i]);
        free(f->summaries[i]);
    }
}

int fetch_by_daemon(const struct cmd_options *o, const struct conf *c, const struct pool_options *options,
                    bool *done_out)
{
    size_t n = o->account_count;
    struct errand f = { .o = o,
                        .options = options,
                        .counters = calloc(n + 1, sizeof(*f.counters)),
                        .lines = calloc(n + 1, sizeof(*f.lines)),
                        .summaries = calloc(n + 1, sizeof(*f.summaries)),
                        .done = done_out };
    struct control_client *client = NULL;
    struct err e = ERR_INIT;

    if (f.counters == NULL || f.lines == NULL || f.summaries == NULL) {
        log_debug("the daemon was not asked: out of memory");
        goto out;
    }
    for (size_t i = 0; i < n; i++) {
        f.lines[i].account = o->accounts[i]->name;
        f.lines[i].counters = &f.counters[i];
    }
    if (ask(&f, c, &client, &e) != 0) {
        if (e.code != E_STOPPED)
            log_debug("the daemon was not asked: %s", e.text);
        goto out;
    }
    if (client == NULL)
        goto out;
    if (options->progress)
        progress_start(f.lines, n);
    if (talk(&f, client, &e) != 0 && e.code != E_STOPPED)
        log_debug("%s", e.text);
    if (options->progress)
        progress_stop();
    sum_up(&f);
out:
    control_client_close(&client);
    free(f.counters);
    free(f.lines);
    free(f.summaries);
    return f.status;
}
