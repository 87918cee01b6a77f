/* SPDX-License-Identifier: MIT */
#include "daemon/worker.h"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "../unit.h"
#include "base/clock.h"

/* A gate that jobs stand at until it opens. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool gate_open;
static int at_gate, most_at_gate;

static void at_the_gate(struct job *job)
{
    (void)job;
    pthread_mutex_lock(&lock);
    at_gate++;
    most_at_gate = at_gate > most_at_gate ? at_gate : most_at_gate;
    pthread_cond_broadcast(&changed);
    while (!gate_open)
        pthread_cond_wait(&changed, &lock);
    at_gate--;
    pthread_mutex_unlock(&lock);
}

static void at_once(struct job *job)
{
    (void)job;
}

static void await_at_gate(int count)
{
    pthread_mutex_lock(&lock);
    while (at_gate < count)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static void set_gate(bool open)
{
    pthread_mutex_lock(&lock);
    gate_open = open;
    most_at_gate = open ? most_at_gate : 0;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static struct job *await_done(struct workers *w)
{
    struct job *job;

    while ((job = workers_done(w)) == NULL) {
        struct pollfd p = { .fd = workers_fd(w), .events = POLLIN };
        assert_int_equal(poll(&p, 1, 10000), 1);
    }
    return job;
}

static void finish(struct workers *w)
{
    assert_int_equal(workers_stop(w, clock_mono_ms() + 10000), 0);
    workers_free(&w);
    assert_null(w);
}

static void test_at_most_so_many_and_short_ones_pass(void **state)
{
    struct job jobs[40] = { { 0 } }, quick = { .run = at_once };
    struct workers *w = NULL;
    struct err e;

    (void)state;
    set_gate(false);
    assert_int_equal(workers_new(3, &w, &e), 0);
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
        jobs[i] = (struct job){ .run = at_the_gate, .is_long = true };
        workers_put(w, &jobs[i], false);
    }
    await_at_gate(3);
    workers_put(w, &quick, false);
    assert_ptr_equal(await_done(w), &quick);
    assert_true(atomic_load(&jobs[0].started));
    assert_false(atomic_load(&jobs[39].started));
    set_gate(true);
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
        assert_non_null(await_done(w));
    assert_null(workers_done(w));
    assert_int_equal(most_at_gate, 3);
    finish(w);
}

static void test_taken_back(void **state)
{
    struct job first = { .run = at_the_gate, .is_long = true }, others[4];
    struct workers *w = NULL;
    struct err e;

    (void)state;
    set_gate(false);
    assert_int_equal(workers_new(1, &w, &e), 0);
    workers_put(w, &first, false);
    await_at_gate(1);
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        others[i] = (struct job){ .run = at_once, .is_long = true };
        workers_put(w, &others[i], i == 2);
    }
    assert_false(workers_take_back(w, &first));
    assert_true(workers_take_back(w, &others[1]));
    assert_true(workers_take_back(w, &others[3]));
    assert_false(workers_take_back(w, &others[3]));
    workers_put(w, &others[1], false);
    set_gate(true);
    assert_ptr_equal(await_done(w), &first);
    assert_ptr_equal(await_done(w), &others[2]);
    assert_ptr_equal(await_done(w), &others[0]);
    assert_ptr_equal(await_done(w), &others[1]);
    assert_null(workers_done(w));
    finish(w);
}

static void test_stop_waits_no_longer_than_told(void **state)
{
    struct job stuck = { .run = at_the_gate, .is_long = true }, never = { .run = at_the_gate, .is_long = true };
    struct workers *w = NULL;
    struct err e;
    int64_t began;

    (void)state;
    set_gate(false);
    assert_int_equal(workers_new(1, &w, &e), 0);
    workers_put(w, &stuck, false);
    await_at_gate(1);
    workers_put(w, &never, false);
    began = clock_mono_ms();
    assert_int_equal(workers_stop(w, began + 50), 1);
    assert_in_range(clock_mono_ms() - began, 50, 5000);
    set_gate(true);
    assert_int_equal(workers_stop(w, clock_mono_ms() + 10000), 0);
    assert_false(atomic_load(&never.started));
    workers_free(&w);
}

static _Atomic int farewells;

static void farewell(struct job *job)
{
    (void)job;
    farewells++;
}

static void test_short_ones_are_done_before_the_end(void **state)
{
    struct job jobs[100];
    struct workers *w = NULL;
    struct err e;

    (void)state;
    assert_int_equal(workers_new(1, &w, &e), 0);
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
        jobs[i] = (struct job){ .run = farewell };
        workers_put(w, &jobs[i], false);
    }
    finish(w);
    assert_int_equal(farewells, ARRAY_LEN(jobs));
}

static pthread_t last_thread;

static void which_thread(struct job *job)
{
    (void)job;
    last_thread = pthread_self();
}

/* Else each of many idle threads is needed now and then, and none ever goes. */
static void test_who_slept_last_is_woken_first(void **state)
{
    struct job crowd[8] = { { 0 } }, one = { .run = which_thread };
    struct workers *w = NULL;
    pthread_t first;
    struct err e;

    (void)state;
    set_gate(false);
    assert_int_equal(workers_new(8, &w, &e), 0);
    for (size_t i = 0; i < ARRAY_LEN(crowd); i++) {
        crowd[i] = (struct job){ .run = at_the_gate };
        workers_put(w, &crowd[i], false);
    }
    await_at_gate(8);
    set_gate(true);
    for (size_t i = 0; i < ARRAY_LEN(crowd); i++)
        await_done(w);
    for (int i = 0; i < 20; i++) {
        poll(NULL, 0, 5);
        workers_put(w, &one, false);
        assert_ptr_equal(await_done(w), &one);
        if (i == 0)
            first = last_thread;
        assert_true(pthread_equal(first, last_thread));
    }
    finish(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_most_so_many_and_short_ones_pass),
        cmocka_unit_test(test_taken_back),
        cmocka_unit_test(test_stop_waits_no_longer_than_told),
        cmocka_unit_test(test_short_ones_are_done_before_the_end),
        cmocka_unit_test(test_who_slept_last_is_woken_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
