/* SPDX-License-Identifier: MIT */
#include "daemon/environ.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"

enum {
    SLEPT_MS = 2000, /* less is the clocks being read one after the other, on a machine that is busy */
    SETTLE_MS = 300,
    APART_MS = 5000,
    MESSAGES_MAX = 16 * 1024,
};

static int64_t clock_ms(clockid_t clock)
{
    struct timespec ts;

    return clock_gettime(clock, &ts) == 0 ? (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000 : 0;
}

static int64_t ahead(void)
{
    int64_t monotonic = clock_ms(CLOCK_MONOTONIC);

    return clock_ms(CLOCK_BOOTTIME) - monotonic;
}

/* --- sleep ---------------------------------------------------------------------------------------------------- */

/* A timer that never comes due, but is cancelled by the kernel when the calendar jumps, as it does in sleep. */
static void arm(struct environ *v)
{
    struct itimerspec never = { .it_value.tv_sec = (time_t)1 << 40 };

    (void)timerfd_settime(v->wakeup.fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL);
}

static void woken(void *ctx, unsigned events)
{
    struct environ *v = ctx;
    uint64_t count;

    (void)events;
    if (read(v->wakeup.fd, &count, sizeof(count)) < 0 && errno == ECANCELED)
        log_debug("the calendar was set, or the machine slept");
    arm(v);
}

void environ_look(struct environ *v)
{
    int64_t now = ahead();
    bool slept = now - v->ahead_ms > SLEPT_MS;

    v->ahead_ms = now;
    if (!slept)
        return;
    log_info("the machine slept; looking whether the connections are still there");
    v->changed(v->ctx, true);
}

/* --- network -------------------------------------------------------------------------------------------------- */

static bool is_way(const struct nlmsghdr *h)
{
    const struct rtmsg *route = NLMSG_DATA(h);

    if (h->nlmsg_type == RTM_NEWADDR || h->nlmsg_type == RTM_DELADDR)
        return true;
    if ((h->nlmsg_type != RTM_NEWROUTE && h->nlmsg_type != RTM_DELROUTE) || h->nlmsg_len < NLMSG_LENGTH(sizeof(*route)))
        return false;
    return route->rtm_type == RTN_UNICAST && route->rtm_table != RT_TABLE_LOCAL &&
           (route->rtm_flags & RTM_F_CLONED) == 0;
}

bool environ_is_change(const void *messages, size_t n)
{
    const char *p = messages;

    while (n >= sizeof(struct nlmsghdr)) {
        const struct nlmsghdr *h = (const void *)p;
        size_t len = NLMSG_ALIGN((size_t)h->nlmsg_len);

        if (h->nlmsg_len < sizeof(*h) || h->nlmsg_len > n)
            break;
        if (is_way(h))
            return true;
        p += size_min(len, n);
        n -= size_min(len, n);
    }
    return false;
}

static void settled(void *ctx)
{
    struct environ *v = ctx;

    v->told_ms = clock_mono_ms();
    log_debug("the network has changed; looking whether the connections are still there");
    v->changed(v->ctx, false);
}

static void routes_changed(void *ctx, unsigned events)
{
    struct environ *v = ctx;
    char messages[MESSAGES_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
    int64_t now = clock_mono_ms(), at = now + SETTLE_MS;
    bool changed = false;
    ssize_t n;

    (void)events;
    while ((n = recv(v->routes.fd, messages, sizeof(messages), MSG_DONTWAIT)) > 0)
        changed |= environ_is_change(messages, (size_t)n);
    /* So many that the kernel dropped some. */
    changed |= n < 0 && errno == ENOBUFS;
    if (!changed || v->settle.set)
        return;
    if (v->told_ms != 0 && at < v->told_ms + APART_MS)
        at = v->told_ms + APART_MS;
    loop_at(v->loop, &v->settle, at);
}

static int open_routes(void)
{
    struct sockaddr_nl address = { .nl_family = AF_NETLINK,
                                   .nl_groups = RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE | RTMGRP_IPV4_IFADDR |
                                                RTMGRP_IPV6_IFADDR };
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        io_close(&fd);
    return fd;
}

static void watch(struct environ *v, struct loop_watch *w, const char *what)
{
    struct err e = ERR_INIT;

    if (w->fd >= 0 && loop_watch(v->loop, w, EPOLLIN, &e) == 0)
        return;
    log_debug("the system does not tell of %s", what);
    io_close(&w->fd);
}

void environ_none(struct environ *v, struct loop *loop)
{
    *v = (struct environ){ .loop = loop, .routes.fd = -1, .wakeup.fd = -1 };
}

void environ_init(struct environ *v, struct loop *loop, void (*changed)(void *ctx, bool slept), void *ctx)
{
    *v = (struct environ){ .loop = loop, .changed = changed, .ctx = ctx, .ahead_ms = ahead() };
    v->routes = (struct loop_watch){ .fd = open_routes(), .ready = routes_changed, .ctx = v };
    v->wakeup = (struct loop_watch){ .fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK),
                                     .ready = woken,
                                     .ctx = v };
    v->settle = (struct loop_timer){ .due = settled, .ctx = v };
    if (v->wakeup.fd >= 0)
        arm(v);
    watch(v, &v->routes, "changes of the network");
    watch(v, &v->wakeup, "sleep");
}

void environ_release(struct environ *v)
{
    loop_cancel(v->loop, &v->settle);
    loop_unwatch(v->loop, &v->routes);
    loop_unwatch(v->loop, &v->wakeup);
    io_close(&v->routes.fd);
    io_close(&v->wakeup.fd);
}
