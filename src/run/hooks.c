/* SPDX-License-Identifier: MIT */
#include "run/hooks.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/io.h"
#include "base/log.h"

enum { LIST_BUFFER = 64 * 1024, LIST_WRITE = 16 * 1024, OUTPUT_MAX = 4096, VARIABLES = 5 };

/* ---- the list of new files ---- */

/* On disk, because there may be millions; in memory where the directory cannot have such a file. */
static int open_list(const struct conf *c)
{
    int fd = open(c->spool_dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    return fd >= 0 ? fd : memfd_create("mailhaul", MFD_CLOEXEC);
}

static void save_list(struct hooks *h)
{
    if (h->list < 0)
        h->list = open_list(h->conf);
    if (h->list < 0 || io_write_all(h->list, h->unsaved.p, h->unsaved.len) != 0) {
        log_warn("the list of new files for on_new_mail is not complete: %s", strerror(errno));
        h->list_broken = true;
    }
    buf_clear(&h->unsaved);
}

static void delivered(void *ctx, const struct haul_delivered *d)
{
    struct hooks *h = ctx;

    if (d->path != NULL && !h->list_broken) {
        if (buf_putf(&h->unsaved, "%s\n", d->path) != 0)
            h->list_broken = true;
        if (h->unsaved.len >= LIST_WRITE)
            save_list(h);
    }
    if (h->next.delivered != NULL)
        h->next.delivered(h->next.ctx, d);
}

void hooks_begin(struct hooks *h, const struct conf *c, const struct conf_account *account,
                 struct haul_observer *observer)
{
    *h = (struct hooks){ .conf = c, .account = account, .next = *observer, .list = -1 };
    buf_init(&h->unsaved, LIST_BUFFER);
    if (account->on_new_mail.n > 0)
        *observer = (struct haul_observer){ .ctx = h, .delivered = delivered };
}

/* ---- running ---- */

static void say_output(const char *what, const struct buf *output)
{
    struct slice rest = buf_slice(output);

    while (rest.n > 0) {
        const char *end = memchr(rest.p, '\n', rest.n);
        struct slice line = slice_make(rest.p, end != NULL ? (size_t)(end - rest.p) : rest.n);

        log_info("%s: %.*s", what, (int)line.n, line.p);
        rest = slice_from(rest, size_min(line.n + 1, rest.n));
    }
}

static void run(const char *what, const struct conf_strings *argv, const char *const *environment, int input)
{
    const struct child_options options = { .what = what,
                                           .argv = argv->v,
                                           .environment = environment,
                                           .input = input,
                                           .merge_errors = true,
                                           .patient = true,
                                           .limit_ms = HOOK_LIMIT_S * 1000,
                                           .linger_ms = 0 };
    struct buf output = BUF_INIT(OUTPUT_MAX);
    struct err e = ERR_INIT;
    int status = 0;

    if (child_run(&options, &output, &status, &e) != 0)
        log_warn("%s", e.text);
    else if (WIFSIGNALED(status))
        log_warn("%s %s was killed by signal %d", what, argv->v[0], WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        log_warn("%s %s failed with status %d", what, argv->v[0], WEXITSTATUS(status));
    say_output(what, &output);
    buf_release(&output);
}

/* Freed as one. NULL: no memory. */
static char **make_environment(const struct hooks *h, const struct haul_result *r, const struct last_turn *turn,
                               char *variables[VARIABLES + 1])
{
    size_t n = 0;

    for (size_t i = 0; i <= VARIABLES; i++)
        variables[i] = NULL;
    if (asprintf(&variables[n], "MAILHAUL_ACCOUNT=%s", h->account->name) < 0 ||
        asprintf(&variables[++n], "MAILHAUL_MESSAGES=%" PRIu64, r->messages) < 0 ||
        asprintf(&variables[++n], "MAILHAUL_BYTES=%" PRIu64, r->bytes) < 0 ||
        asprintf(&variables[++n], "MAILHAUL_ERROR=%s", turn->error) < 0 ||
        asprintf(&variables[++n], "MAILHAUL_FAILURES=%u", turn->failures) < 0) {
        variables[n] = NULL;
        return NULL;
    }
    return variables;
}

static bool has_news(const struct hooks *h, const struct haul_result *r)
{
    return h->account->on_new_mail.n > 0 && r->messages > 0;
}

static void tell_new_mail(struct hooks *h, const char *const *environment)
{
    if (h->unsaved.len > 0)
        save_list(h);
    if (h->list >= 0 && lseek(h->list, 0, SEEK_SET) != 0)
        io_close(&h->list);
    run("on_new_mail", &h->account->on_new_mail, environment, h->list);
}

void hooks_end(struct hooks *h, const struct haul_result *result, const struct last_turn *turn)
{
    const struct conf_account *a = h->account;
    bool failing = turn->what == LAST_FAILING && a->on_failure.n > 0;
    bool again = turn->what == LAST_WORKS_AGAIN && a->on_recovery.n > 0;
    char *variables[VARIABLES + 1] = { NULL };
    const char *const *environment;

    if (has_news(h, result) || failing || again) {
        environment = (const char *const *)make_environment(h, result, turn, variables);
        if (environment == NULL)
            log_warn("out of memory: a program that is told of passes was not run");
        if (environment != NULL && has_news(h, result))
            tell_new_mail(h, environment);
        if (environment != NULL && failing)
            run("on_failure", &a->on_failure, environment, -1);
        if (environment != NULL && again)
            run("on_recovery", &a->on_recovery, environment, -1);
        for (size_t i = 0; i < VARIABLES; i++)
            free(variables[i]);
    }
    io_close(&h->list);
    buf_release(&h->unsaved);
}
