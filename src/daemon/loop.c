/* SPDX-License-Identifier: MIT */
#include "daemon/loop.h"

#include "base/clock.h"
#include "base/io.h"

int loop_init(struct loop *l, struct err *e)
{
    *l = (struct loop){ .epoll = epoll_create1(EPOLL_CLOEXEC) };
    return l->epoll >= 0 ? 0 : err_sys(e, E_NOMEM, errno, "no descriptor to wait with");
}

void loop_release(struct loop *l)
{
    io_close(&l->epoll);
}

int loop_watch(struct loop *l, struct loop_watch *w, unsigned events, struct err *e)
{
    struct epoll_event event = { .events = events, .data.ptr = w };

    if (epoll_ctl(l->epoll, w->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, w->fd, &event) != 0)
        return err_sys(e, E_NOMEM, errno, "a connection cannot be watched");
    w->watched = true;
    return 0;
}

void loop_unwatch(struct loop *l, struct loop_watch *w)
{
    if (!w->watched)
        return;
    w->watched = false;
    (void)epoll_ctl(l->epoll, EPOLL_CTL_DEL, w->fd, NULL);
    for (int i = 0; i < l->event_count; i++) {
        if (l->events[i].data.ptr == w)
            l->events[i].data.ptr = NULL;
    }
}

void loop_cancel(struct loop *l, struct loop_timer *t)
{
    if (!t->set)
        return;
    *(t->before != NULL ? &t->before->after : &l->first) = t->after;
    *(t->after != NULL ? &t->after->before : &l->last) = t->before;
    t->before = t->after = NULL;
    t->set = false;
}

/* From the end: most deadlines are later than all that are there. */
void loop_at(struct loop *l, struct loop_timer *t, int64_t at_ms)
{
    struct loop_timer *before = l->last;

    if (t->set && before == t)
        before = t->before;
    loop_cancel(l, t);
    while (before != NULL && before->at_ms > at_ms)
        before = before->before;
    t->at_ms = at_ms;
    t->before = before;
    t->after = before != NULL ? before->after : l->first;
    *(t->before != NULL ? &t->before->after : &l->first) = t;
    *(t->after != NULL ? &t->after->before : &l->last) = t;
    t->set = true;
}

static int time_left(const struct loop *l, int64_t most_ms)
{
    int64_t left = l->first != NULL ? l->first->at_ms - clock_mono_ms() : most_ms;

    if (left > most_ms)
        left = most_ms;
    return left < 0 ? 0 : (int)left;
}

int loop_round(struct loop *l, int64_t most_ms, struct err *e)
{
    int64_t now;

    l->event_count = epoll_wait(l->epoll, l->events, LOOP_EVENTS, time_left(l, most_ms));
    if (l->event_count < 0 && errno != EINTR)
        return err_sys(e, E_NOMEM, errno, "the daemon cannot wait");
    for (int i = 0; i < l->event_count; i++) {
        struct loop_watch *w = l->events[i].data.ptr;
        if (w != NULL)
            w->ready(w->ctx, l->events[i].events);
    }
    l->event_count = 0;
    /* One that is set anew by a callback, for now, is for the next round: the descriptors have their turn first. */
    now = clock_mono_ms();
    while (l->first != NULL && l->first->at_ms <= now) {
        struct loop_timer *t = l->first;
        loop_cancel(l, t);
        t->due(t->ctx);
        if (l->first == t)
            break;
    }
    return 0;
}
