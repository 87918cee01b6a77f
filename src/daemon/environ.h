/* SPDX-License-Identifier: MIT
 * environ.h - what the machine goes through that connections do not notice: it slept, or its network is another one.
 *
 * Sleep: CLOCK_BOOTTIME goes on meanwhile and CLOCK_MONOTONIC does not, so that a jump of one against the other is what
 * is looked for, at every round of the loop and when the kernel says that it was woken (timerfd_create(2),
 * TFD_TIMER_CANCEL_ON_SET). The calendar is not asked: setting it means nothing.
 * Network: rtnetlink(7) tells of routes and addresses. A change comes as many messages; they are told once.
 * Where the system does not allow one of them, the other still works, and `interval` finds out in the end.
 * Thread: the loop's.
 */
#ifndef MAILHAUL_DAEMON_ENVIRON_H
#define MAILHAUL_DAEMON_ENVIRON_H

#include "daemon/loop.h"

struct environ {
    struct loop *loop;
    struct loop_watch routes, wakeup;
    struct loop_timer settle;
    int64_t ahead_ms; /* BOOTTIME of MONOTONIC, when it was looked at last */
    int64_t told_ms;  /* when a change of the network was told last; 0: never */
    void (*changed)(void *ctx, bool slept);
    void *ctx;
};

void environ_init(struct environ *v, struct loop *loop, void (*changed)(void *ctx, bool slept), void *ctx);
/* One that can be released, and looks at nothing. */
void environ_none(struct environ *v, struct loop *loop);
/* After each round of the loop. */
void environ_look(struct environ *v);
void environ_release(struct environ *v);

/* True when one of these rtnetlink messages is about a way to other machines: a unicast route that is not the kernel's
 * own note, or an address. */
bool environ_is_change(const void *messages, size_t n);

#endif
