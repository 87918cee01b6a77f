/* SPDX-License-Identifier: MIT */
#include "cmd/cmd.h"

#include <unistd.h>

#include "base/stop.h"
#include "cmd/fetch_daemon.h"
#include "net/digest.h"
#include "run/pool.h"
#include "run/report.h"

static int no_memory(void)
{
    log_error("out of memory");
    return err_exit_status(E_NOMEM);
}

/* Those that the daemon did not fetch; nothing to do when it fetched all. */
static int fetch_rest(const struct cmd_options *o, const struct conf *c, const struct pool_options *options,
                      const bool *done, int status)
{
    const struct conf_account **rest = calloc(o->account_count + 1, sizeof(*rest));
    size_t n = 0;

    if (rest == NULL)
        return no_memory();
    for (size_t i = 0; i < o->account_count; i++) {
        if (!done[i])
            rest[n++] = o->accounts[i];
    }
    if (n > 0 || o->account_count == 0)
        status = report_worse(status, pool_fetch(c, rest, n, options));
    free(rest);
    return status;
}

int cmd_fetch(const struct cmd_options *o, const struct conf *c)
{
    const struct pool_options options = { .dry_run = o->dry_run,
                                          .oversize = o->oversize,
                                          .json = o->json,
                                          .progress = isatty(STDERR_FILENO) && !o->quiet && o->verbosity < 2 };
    bool *done = calloc(o->account_count + 1, sizeof(*done));
    struct digest first;
    int status = EXIT_OK;
    struct err e;

    /* OpenSSL's own start, which does not survive a lack of memory, belongs here and not into the middle of a pass. */
    if (done == NULL || digest_init(&first, &e) != 0) {
        free(done);
        return no_memory();
    }
    digest_release(&first);
    /* A dry run changes nothing, and needs no lock. */
    if (!o->dry_run && o->account_count > 0)
        status = fetch_by_daemon(o, c, &options, done);
    if (stop_requested() == 0)
        status = fetch_rest(o, c, &options, done, status);
    free(done);
    return status;
}
