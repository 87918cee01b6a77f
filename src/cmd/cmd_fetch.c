/* SPDX-License-Identifier: MIT */
#include "cmd/cmd.h"

#include <unistd.h>

#include "run/pool.h"

int cmd_fetch(const struct cmd_options *o, const struct conf *c)
{
    const struct pool_options options = { .dry_run = o->dry_run,
                                          .oversize = o->oversize,
                                          .json = o->json,
                                          .progress = isatty(STDERR_FILENO) && !o->quiet && o->verbosity < 2 };

    return pool_fetch(c, o->accounts, o->account_count, &options);
}
