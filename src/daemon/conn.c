/* SPDX-License-Identifier: MIT */
#include "daemon/conn.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"

enum { READ_MOST = 16 * 1024, ACCEPT_MOST = 16, REST_MS = 1000 };

/* 1: there was something, 0: not now, -1: that was all. */
static int take_in(struct conn *c)
{
    size_t room = size_min(READ_MOST, c->in.max - c->in.len);
    ssize_t got;

    if (room == 0)
        return 1;
    if (buf_reserve(&c->in, room) != 0)
        return -1;
    got = recv(c->watch.fd, c->in.p + c->in.len, room, MSG_DONTWAIT);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    buf_grew(&c->in, (size_t)got);
    return got > 0 ? 1 : -1;
}

static int give_out(struct conn *c)
{
    ssize_t done = send(c->watch.fd, c->out.p + c->sent, c->out.len - c->sent, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (done < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    c->sent += (size_t)done;
    loop_at(c->loop, &c->timer, clock_mono_ms() + CONN_TAKE_MS);
    return 0;
}

static int watch(struct conn *c)
{
    unsigned wanted = (c->deaf ? 0u : EPOLLIN) | (conn_behind(c) > 0 ? EPOLLOUT : 0u);
    struct err e;

    return loop_watch(c->loop, &c->watch, wanted, &e);
}

static void ready(void *ctx, unsigned events)
{
    struct conn *c = ctx;
    int got = 0;

    if (!c->deaf && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
        got = take_in(c);
    if (got > 0) {
        c->ops->received(c->owner);
        return;
    }
    if (got < 0 || (events & (EPOLLHUP | EPOLLERR)) != 0 || (conn_behind(c) > 0 && give_out(c) != 0)) {
        c->ops->gone(c->owner);
        return;
    }
    if (conn_behind(c) > 0 || c->out.len == 0)
        return;
    buf_clear(&c->out);
    c->sent = 0;
    loop_cancel(c->loop, &c->timer);
    if (watch(c) != 0)
        c->ops->gone(c->owner);
    else
        c->ops->drained(c->owner);
}

static void due(void *ctx)
{
    struct conn *c = ctx;

    c->ops->gone(c->owner);
}

int conn_open(struct conn *c, struct loop *loop, int fd, const struct conn_ops *ops, void *owner, size_t in_max,
              size_t out_max, struct err *e)
{
    *c = (struct conn){ .loop = loop,
                        .watch = { .fd = fd, .ready = ready, .ctx = c },
                        .timer = { .due = due, .ctx = c },
                        .ops = ops,
                        .owner = owner,
                        .in = BUF_INIT(in_max),
                        .out = BUF_INIT(out_max) };
    if (loop_watch(loop, &c->watch, EPOLLIN, e) != 0) {
        io_close(&c->watch.fd);
        return -1;
    }
    loop_at(loop, &c->timer, clock_mono_ms() + CONN_ASK_MS);
    return 0;
}

/* What is closed unread comes back as a reset, which would take the end of the answer with it. */
static void read_away(int fd)
{
    char bytes[4096];

    for (int i = 0; i < ACCEPT_MOST && recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0; i++)
        continue;
}

void conn_close(struct conn *c)
{
    read_away(c->watch.fd);
    loop_unwatch(c->loop, &c->watch);
    loop_cancel(c->loop, &c->timer);
    io_close(&c->watch.fd);
    buf_release(&c->in);
    buf_release(&c->out);
}

void conn_asked(struct conn *c)
{
    c->deaf = true;
    loop_cancel(c->loop, &c->timer);
    /* One that cannot be watched is found by the time limit of its answer. */
    (void)watch(c);
}

int conn_put(struct conn *c, struct slice bytes)
{
    if (c->sent > 0 && c->sent == c->out.len) {
        buf_clear(&c->out);
        c->sent = 0;
    } else if (c->sent > c->out.max / 2) {
        memmove(c->out.p, c->out.p + c->sent, conn_behind(c));
        buf_truncate(&c->out, conn_behind(c));
        c->sent = 0;
    }
    if (conn_behind(c) == 0)
        loop_at(c->loop, &c->timer, clock_mono_ms() + CONN_TAKE_MS);
    return buf_put_slice(&c->out, bytes) == 0 ? watch(c) : -1;
}

size_t conn_behind(const struct conn *c)
{
    return c->out.len - c->sent;
}

static void rested(void *ctx)
{
    struct listener *l = ctx;
    struct err e;

    if (loop_watch(l->loop, &l->watch, EPOLLIN, &e) != 0)
        loop_at(l->loop, &l->timer, clock_mono_ms() + REST_MS);
}

static void knocked(void *ctx, unsigned events)
{
    struct listener *l = ctx;

    (void)events;
    for (int i = 0; i < ACCEPT_MOST; i++) {
        int fd = accept4(l->watch.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            l->accepted(l->ctx, fd);
            continue;
        }
        if (errno == EAGAIN)
            return;
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            loop_unwatch(l->loop, &l->watch);
            loop_at(l->loop, &l->timer, clock_mono_ms() + REST_MS);
            return;
        }
    }
}

int listener_open(struct listener *l, struct loop *loop, int fd, void (*accepted)(void *ctx, int fd), void *ctx,
                  struct err *e)
{
    *l = (struct listener){ .loop = loop,
                            .watch = { .fd = fd, .ready = knocked, .ctx = l },
                            .timer = { .due = rested, .ctx = l },
                            .accepted = accepted,
                            .ctx = ctx };
    if (loop_watch(loop, &l->watch, EPOLLIN, e) == 0)
        return 0;
    io_close(&l->watch.fd);
    return -1;
}

void listener_close(struct listener *l)
{
    if (l->watch.fd < 0)
        return;
    loop_unwatch(l->loop, &l->watch);
    loop_cancel(l->loop, &l->timer);
    io_close(&l->watch.fd);
}
