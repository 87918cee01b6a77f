/* SPDX-License-Identifier: MIT
 * lanes.h - a batch of messages handed on side by side: a few threads with straight-line code each, which take the next
 * message as soon as they are done with one, and end with the batch.
 *
 * Calling sequence: lanes_init(); lanes_add() for each further thread, also from within one; the caller's own work;
 * lanes_wait(). lanes_add() takes `lock` itself. Stacks are small (256 KiB). A thread that cannot be started is no
 * error: there are fewer then.
 * The name in front of log lines is the caller's in all of them.
 */
#ifndef MAILHAUL_HAUL_LANES_H
#define MAILHAUL_HAUL_LANES_H

#include "base/base.h"

#include <pthread.h>

enum { LANES_MAX = 16 };

struct lanes {
    pthread_mutex_t lock; /* for whoever works in them, too */
    pthread_t threads[LANES_MAX];
    size_t count;
};
void lanes_init(struct lanes *l);
/* False: not started (LANES_MAX, or no thread to be had). */
bool lanes_add(struct lanes *l, void (*fn)(void *ctx), void *ctx);
/* Waits for all, also for those added meanwhile, and releases everything. */
void lanes_wait(struct lanes *l);

#endif
