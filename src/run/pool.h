/* SPDX-License-Identifier: MIT
 * pool.h - one pass over several accounts at the same time: a thread each, at most max_sessions of them.
 *
 * One account's trouble never holds up another. On a terminal the pass shows a line for each account at work; the
 * messages of the accounts go to the log as they come; at the end stands one summary line an account (shown on a
 * terminal or with -v).
 */
#ifndef MAILHAUL_RUN_POOL_H
#define MAILHAUL_RUN_POOL_H

#include "conf/conf.h"

struct pool_options {
    bool dry_run, oversize;
    bool json;     /* one object a line on standard output for each message delivered and each account finished */
    bool progress; /* live lines on standard error */
};

/* The exit status of CONTRACT section 1. Main thread. */
int pool_fetch(const struct conf *c, const struct conf_account *const *accounts, size_t count,
               const struct pool_options *options);

#endif
