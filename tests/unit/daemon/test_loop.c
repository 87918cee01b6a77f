/* SPDX-License-Identifier: MIT */
#include "daemon/loop.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "../unit.h"
#include "base/clock.h"

struct world {
    struct loop loop;
    char said[64];
    struct loop_timer *doomed;
    struct loop_watch *doomed_watch;
    struct err e;
};

struct named {
    struct world *w;
    char name;
    struct loop_timer timer;
    struct loop_watch watch;
};

static void say(void *ctx)
{
    struct named *n = ctx;
    size_t len = strlen(n->w->said);

    n->w->said[len] = n->name;
    n->w->said[len + 1] = '\0';
    if (n->w->doomed != NULL)
        loop_cancel(&n->w->loop, n->w->doomed);
    if (n->w->doomed_watch != NULL)
        loop_unwatch(&n->w->loop, n->w->doomed_watch);
}

static void say_ready(void *ctx, unsigned events)
{
    assert_true((events & EPOLLIN) != 0);
    say(ctx);
}

static void init(struct named *n, size_t count, struct world *w)
{
    for (size_t i = 0; i < count; i++) {
        n[i] = (struct named){ .w = w, .name = (char)('a' + i) };
        n[i].timer = (struct loop_timer){ .due = say, .ctx = &n[i] };
        n[i].watch = (struct loop_watch){ .fd = eventfd(1, EFD_CLOEXEC), .ready = say_ready, .ctx = &n[i] };
        assert_true(n[i].watch.fd >= 0);
    }
}

static void end(struct named *n, size_t count, struct world *w)
{
    for (size_t i = 0; i < count; i++)
        close(n[i].watch.fd);
    loop_release(&w->loop);
    clock_real();
}

static void test_timers_in_order(void **state)
{
    struct world w = { 0 };
    struct named n[5];

    (void)state;
    clock_fake(1000, 0);
    assert_int_equal(loop_init(&w.loop, &w.e), 0);
    init(n, 5, &w);
    loop_at(&w.loop, &n[0].timer, 3000);
    loop_at(&w.loop, &n[1].timer, 2000);
    loop_at(&w.loop, &n[2].timer, 2000);
    loop_at(&w.loop, &n[3].timer, 1500);
    loop_at(&w.loop, &n[4].timer, 2500);
    assert_int_equal(loop_round(&w.loop, 0, &w.e), 0);
    assert_string_equal(w.said, "");
    loop_at(&w.loop, &n[3].timer, 2600); /* moved */
    loop_at(&w.loop, &n[0].timer, 3000);
    loop_cancel(&w.loop, &n[2].timer);
    loop_cancel(&w.loop, &n[2].timer);
    clock_fake(2600, 0);
    assert_int_equal(loop_round(&w.loop, 1000, &w.e), 0);
    assert_string_equal(w.said, "bed");
    clock_fake(3000, 0);
    assert_int_equal(loop_round(&w.loop, 1000, &w.e), 0);
    assert_string_equal(w.said, "beda");
    assert_null(w.loop.first);
    assert_null(w.loop.last);
    end(n, 5, &w);
}

static void test_cancelled_by_another(void **state)
{
    struct world w = { 0 };
    struct named n[2];

    (void)state;
    clock_fake(1000, 0);
    assert_int_equal(loop_init(&w.loop, &w.e), 0);
    init(n, 2, &w);
    loop_at(&w.loop, &n[0].timer, 1000);
    loop_at(&w.loop, &n[1].timer, 1000);
    w.doomed = &n[1].timer;
    assert_int_equal(loop_round(&w.loop, 1000, &w.e), 0);
    assert_string_equal(w.said, "a");
    end(n, 2, &w);
}

/* Both are ready in the same round, and the first takes the other out, whose struct may be gone then. */
static void test_unwatched_by_another(void **state)
{
    struct world w = { 0 };
    struct named n[2];

    (void)state;
    assert_int_equal(loop_init(&w.loop, &w.e), 0);
    init(n, 2, &w);
    assert_int_equal(loop_watch(&w.loop, &n[0].watch, EPOLLIN, &w.e), 0);
    assert_int_equal(loop_watch(&w.loop, &n[1].watch, EPOLLIN, &w.e), 0);
    w.doomed_watch = &n[1].watch;
    assert_int_equal(loop_round(&w.loop, 1000, &w.e), 0);
    assert_string_equal(w.said, "a");
    assert_int_equal(loop_round(&w.loop, 1000, &w.e), 0);
    assert_string_equal(w.said, "aa");
    end(n, 2, &w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timers_in_order),
        cmocka_unit_test(test_cancelled_by_another),
        cmocka_unit_test(test_unwatched_by_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
