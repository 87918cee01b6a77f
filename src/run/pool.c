/* SPDX-License-Identifier: MIT */
#include "run/pool.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"
#include "run/hooks.h"
#include "run/last.h"
#include "run/progress.h"
#include "run/report.h"
#include "run/session.h"

enum { STACK = 512 * 1024 };

struct job {
    const struct conf_account *account;
    struct haul_progress progress;
    struct haul_result result;
    int64_t took_ms;
    bool ran;
    const struct pool *pool;
};

struct pool {
    const struct conf *conf;
    const struct pool_options *options;
    struct job *jobs;            /* owned */
    struct progress_line *lines; /* owned */
    size_t count;
    unsigned threads;
    _Atomic size_t next;
};

static void delivered(void *ctx, const struct haul_delivered *d)
{
    const struct job *job = ctx;

    report_json_message(job->account->name, d);
}

static void tell_error(const struct job *job)
{
    char words[ERR_TEXT_MAX + ERR_PEER_MAX];

    if (job->result.err.code == E_NONE || job->result.err.code == E_STOPPED || job->result.err_told)
        return;
    /* Each of them was warned of; with -q it was not, and the exit status would be without a word. */
    if (job->result.err.code == E_MESSAGE && log_wants(LOG_LEVEL_WARN))
        return;
    err_format(&job->result.err, words, sizeof(words));
    log_error("%s", words);
}

static void run_job(struct pool *p, struct job *job)
{
    struct session_options options = { .dry_run = p->options->dry_run,
                                       .oversize = p->options->oversize,
                                       .progress = &job->progress,
                                       .sessions = p->threads };
    int64_t began = clock_wall();
    struct last_turn turn = { .what = LAST_AS_BEFORE };
    struct session *session = NULL;
    struct err e = ERR_INIT;
    struct hooks hooks;

    if (p->options->json)
        options.observer = (struct haul_observer){ .ctx = job, .delivered = delivered };
    options.turn = &turn;
    hooks_begin(&hooks, p->conf, job->account, &options.observer);
    if (session_open(p->conf, job->account, &options, &session, &e) != 0) {
        job->result.err = e;
        /* Whoever holds the lock writes the result. */
        if (!p->options->dry_run && e.code != E_LOCKED)
            last_write_error(p->conf, job->account, began, &e, &turn);
    } else {
        session_pass(session, &job->result);
    }
    session_close(&session);
    tell_error(job);
    hooks_end(&hooks, &job->result, &turn);
}

static void *work(void *arg)
{
    struct pool *p = arg;

    for (;;) {
        size_t i = atomic_fetch_add(&p->next, 1);
        struct job *job = &p->jobs[i < p->count ? i : 0];
        int64_t began = clock_mono_ms();

        if (i >= p->count || stop_requested() != 0)
            break;
        log_account(job->account->name);
        p->lines[i].began_ms = began;
        atomic_store(&p->lines[i].active, true);
        run_job(p, job);
        atomic_store(&p->lines[i].active, false);
        job->took_ms = clock_mono_ms() - began;
        job->ran = true;
        if (p->options->json)
            report_json_account(job->account->name, &job->result, p->options->dry_run, job->took_ms);
        log_account(NULL);
    }
    return NULL;
}

static void run_threads(struct pool *p)
{
    pthread_t threads[256];
    pthread_attr_t attr;
    unsigned n = 0;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK);
    while (n < p->threads && n < ARRAY_LEN(threads) && pthread_create(&threads[n], &attr, work, p) == 0)
        n++;
    pthread_attr_destroy(&attr);
    /* Without a single thread the accounts go one after the other, here. */
    if (n == 0)
        work(p);
    for (unsigned i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
}

static int sum_up(const struct pool *p)
{
    int status = 0;

    for (size_t i = 0; i < p->count; i++) {
        const struct job *job = &p->jobs[i];
        struct buf line = BUF_INIT(2048);

        if (!job->ran)
            continue;
        status = report_worse(status, report_exit_status(&job->result));
        if (report_summary(&job->result, p->options->dry_run, &line) == 0)
            log_info("%s: %s%s", job->account->name, buf_cstr(&line),
                     job->result.err.code != E_NONE ? "; there was trouble" : "");
        buf_release(&line);
    }
    return status;
}

int pool_fetch(const struct conf *c, const struct conf_account *const *accounts, size_t count,
               const struct pool_options *options)
{
    struct pool p = { .conf = c, .options = options, .count = count };
    int status = err_exit_status(E_NOMEM);

    if (!session_all_right(accounts, count))
        return err_exit_status(E_CONFIG);
    p.threads = count < c->max_sessions ? (unsigned)count : c->max_sessions;
    p.jobs = calloc(count + 1, sizeof(*p.jobs));
    p.lines = calloc(count + 1, sizeof(*p.lines));
    if (p.jobs == NULL || p.lines == NULL) {
        log_error("out of memory");
        goto out;
    }
    for (size_t i = 0; i < count; i++) {
        p.jobs[i].account = accounts[i];
        p.lines[i].account = accounts[i]->name;
        p.lines[i].counters = &p.jobs[i].progress;
    }
    if (options->progress)
        progress_start(p.lines, count);
    run_threads(&p);
    if (options->progress)
        progress_stop();
    status = sum_up(&p);
out:
    free(p.jobs);
    free(p.lines);
    return status;
}
