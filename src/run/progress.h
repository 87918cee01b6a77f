/* SPDX-License-Identifier: MIT
 * progress.h - the live lines on a terminal: one for each account at work, drawn again five times a second, out of the
 * way of log lines.
 */
#ifndef MAILHAUL_RUN_PROGRESS_H
#define MAILHAUL_RUN_PROGRESS_H

#include "haul/haul.h"

struct progress_line {
    const char *account;
    struct haul_progress *counters;
    _Atomic bool active;
    int64_t began_ms;
};

/* Starts drawing `lines` (borrowed until progress_stop()). Does nothing when no thread can be had. */
void progress_start(struct progress_line *lines, size_t count);
/* Wipes the lines. */
void progress_stop(void);

#endif
