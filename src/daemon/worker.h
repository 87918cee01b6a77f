/* SPDX-License-Identifier: MIT
 * worker.h - threads that do what takes time, made when there is work and gone a while after there is none.
 *
 * A job is part of the struct that it works for. From workers_put() until workers_done() returns it, that struct
 * belongs to the worker, but for what is atomic.
 * Two kinds: a long job is one of those of which `most` may run at a time (max_sessions); a short one waits for nobody,
 * goes ahead of the long ones, and has a few threads more.
 * Thread: all calls from one; job->run in another.
 */
#ifndef MAILHAUL_DAEMON_WORKER_H
#define MAILHAUL_DAEMON_WORKER_H

#include "base/err.h"

#include <stdatomic.h>

struct job {
    void (*run)(struct job *job);
    bool is_long;
    _Atomic bool started;
    struct job *next; /* the workers' */
};

struct workers;
MUST_CHECK int workers_new(unsigned most, struct workers **out, struct err *e);
void workers_set_most(struct workers *w, unsigned most);
/* Readable when workers_done() has something. */
int workers_fd(const struct workers *w);
/* `front`: ahead of all others of its kind. */
void workers_put(struct workers *w, struct job *job, bool front);
/* True when the job had not begun and is the caller's again. */
bool workers_take_back(struct workers *w, struct job *job);
/* One that is done, in the order in which they ended; NULL when there is none now. */
struct job *workers_done(struct workers *w);
/* Starts what could not be started for want of a thread. To be called now and then. */
void workers_kick(struct workers *w);
size_t workers_busy(const struct workers *w);
/* No new long job begins; those that are queued are forgotten. Waits for what runs and for the short ones, until
 * `until_ms` at most. How many threads are still at it. */
size_t workers_stop(struct workers *w, int64_t until_ms);
/* After workers_stop() said 0. */
void workers_free(struct workers **w);

#endif
