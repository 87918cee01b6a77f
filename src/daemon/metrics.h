/* SPDX-License-Identifier: MIT
 * metrics.h - what `mailhaul status` tells, in the Prometheus text format 0.0.4: HELP and TYPE, then one sample an
 * account.
 *
 * Counters count over the life of an account's state files, so they are the same whether a daemon gives them or a pass
 * from cron. Pure; thread: any.
 */
#ifndef MAILHAUL_DAEMON_METRICS_H
#define MAILHAUL_DAEMON_METRICS_H

#include "daemon/status.h"

/* Room for some ten thousand accounts. */
enum { METRICS_MAX = 64 * 1024 * 1024 };

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct metrics {
    bool up;       /* a daemon runs */
    int64_t since; /* since when, s since 1970 */
    const struct status_line *lines;
    size_t count;
};

/* Appended. -1: no memory, or too much. */
MUST_CHECK int metrics_put(const struct metrics *m, struct buf *out);

#endif
