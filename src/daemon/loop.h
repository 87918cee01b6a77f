/* SPDX-License-Identifier: MIT
 * loop.h - what the daemon's main thread waits for: descriptors and deadlines. Everything that happens in it is short;
 * whatever may take time is a job for a worker (worker.h).
 *
 * A watch or a timer is part of the struct that it belongs to, and `ctx` leads back there. Either may be taken out, and
 * what it belongs to freed, at any time, also from a callback of another one: it is then not called any more.
 *
 * Deadlines are clock_mono_ms(). They are kept while the machine sleeps, and met late then; environ.h sees to what that
 * means for connections.
 * Thread: one.
 */
#ifndef MAILHAUL_DAEMON_LOOP_H
#define MAILHAUL_DAEMON_LOOP_H

#include "base/err.h"

#include <sys/epoll.h>

struct loop_watch {
    int fd;
    void (*ready)(void *ctx, unsigned events); /* EPOLLIN ... */
    void *ctx;
    bool watched; /* the loop's */
};

struct loop_timer {
    void (*due)(void *ctx);
    void *ctx;
    int64_t at_ms; /* the loop's, as all that follows */
    bool set;
    struct loop_timer *before, *after;
};

enum { LOOP_EVENTS = 64 };
struct loop {
    int epoll;
    struct loop_timer *first, *last; /* by at_ms */
    struct epoll_event events[LOOP_EVENTS];
    int event_count; /* of the round that is going on */
};

MUST_CHECK int loop_init(struct loop *l, struct err *e);
void loop_release(struct loop *l);

/* fd, ready and ctx are filled in. A watch that is in already gets the new events. Take it out before its descriptor is
 * closed. */
MUST_CHECK int loop_watch(struct loop *l, struct loop_watch *w, unsigned events, struct err *e);
void loop_unwatch(struct loop *l, struct loop_watch *w);

/* Once; a timer that is set already is moved. */
void loop_at(struct loop *l, struct loop_timer *t, int64_t at_ms);
void loop_cancel(struct loop *l, struct loop_timer *t);

/* Waits until something is due, but `most_ms` at most, and calls all that is. */
MUST_CHECK int loop_round(struct loop *l, int64_t most_ms, struct err *e);

#endif
