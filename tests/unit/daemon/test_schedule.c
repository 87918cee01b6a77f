/* SPDX-License-Identifier: MIT
 * Weeks of an account's life in a simulated clock: each pass's end tells when the next one is.
 */
#include "daemon/schedule.h"

#include "../unit.h"

enum { MINUTE = 60 * 1000, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

static const struct schedule_limits usual = { .interval_s = 300 };

static struct err failure(enum err_code code)
{
    struct err e = ERR_INIT;

    if (code != E_NONE)
        err_set(&e, code, "trouble");
    return e;
}

static enum schedule_verdict passed(struct schedule *s, enum err_code code, const struct schedule_limits *limits,
                                    uint32_t random, int64_t *delay)
{
    struct err e = failure(code);

    return schedule_passed(s, &e, limits, random, delay);
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state;
}

static void test_interval_with_jitter(void **state)
{
    int64_t now = 0, delay, least = INT64_MAX, most = 0;
    struct schedule s = { 0 };
    uint32_t random = 1;
    unsigned passes = 0;

    (void)state;
    for (; now < 14LL * DAY; now += delay, passes++) {
        assert_int_equal(passed(&s, E_NONE, &usual, next_random(&random), &delay), SCHEDULE_WELL);
        least = delay < least ? delay : least;
        most = delay > most ? delay : most;
    }
    assert_true(least >= 270 * 1000 && least < 275 * 1000);
    assert_true(most <= 330 * 1000 && most > 325 * 1000);
    assert_in_range(passes, 14 * 288 * 97 / 100, 14 * 288 * 103 / 100);
}

/* Down for two weeks: few attempts, each within an hour and a quarter; up again: at once as before. */
static void test_backoff_of_two_weeks(void **state)
{
    int64_t now = 0, delay = 0, before = 0;
    struct schedule s = { 0 };
    uint32_t random = 7;
    unsigned passes = 0;

    (void)state;
    for (; now < 14LL * DAY; now += delay, passes++) {
        assert_int_equal(passed(&s, E_TIMEOUT, &usual, next_random(&random), &delay), SCHEDULE_FAILED);
        assert_true(delay <= 75 * MINUTE);
        /* Twice as long, both give or take a quarter: never less than 1.2 times as long until the hour is reached. */
        if (before != 0 && before < 30 * MINUTE)
            assert_true(delay * 10 >= before * 12);
        else if (before != 0)
            assert_true(delay >= 45 * MINUTE || before < 45 * MINUTE);
        before = delay;
    }
    assert_in_range(passes, 14 * 24 * 80 / 100, 14 * 24 * 120 / 100 + 10);
    assert_int_equal(s.failures, passes);
    assert_int_equal(passed(&s, E_NONE, &usual, 0, &delay), SCHEDULE_WELL);
    assert_int_equal(delay, 270 * 1000);
    assert_int_equal(passed(&s, E_TIMEOUT, &usual, 0, &delay), SCHEDULE_FAILED);
    assert_int_equal(delay, 45 * 1000);
}

static void test_first_backoff(void **state)
{
    static const struct {
        enum err_code code;
        unsigned interval_s;
        int64_t least, most;
    } rows[] = {
        { E_NET, 300, 7500, 12500 },     { E_TIMEOUT, 300, 45000, 75000 }, { E_BUSY, 300, 45000, 75000 },
        { E_DISK, 300, 45000, 75000 },   { E_TLS, 300, 45000, 75000 },     { E_AUTH, 300, 45000, 75000 },
        { E_TIMEOUT, 20, 15000, 25000 }, { E_NET, 1, 750, 1250 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct schedule_limits limits = { .interval_s = rows[i].interval_s };

        for (uint32_t random = 0; random < 100000; random += 97) {
            struct schedule s = { 0 };
            int64_t delay;

            assert_int_equal(passed(&s, rows[i].code, &limits, random, &delay), SCHEDULE_FAILED);
            assert_in_range(delay, rows[i].least, rows[i].most);
        }
    }
}

static void test_refused_twice_stops(void **state)
{
    struct schedule s = { 0 };
    int64_t delay;

    (void)state;
    assert_int_equal(passed(&s, E_AUTH, &usual, 0, &delay), SCHEDULE_FAILED);
    assert_int_equal(passed(&s, E_AUTH, &usual, 0, &delay), SCHEDULE_STOPPED);
    assert_int_equal(delay, 0);
    /* Somebody asked for a fetch, and it is refused again. */
    assert_int_equal(passed(&s, E_AUTH, &usual, 0, &delay), SCHEDULE_STOPPED);
    /* Let in once in between, it starts anew. */
    assert_int_equal(passed(&s, E_NONE, &usual, 0, &delay), SCHEDULE_WELL);
    assert_int_equal(passed(&s, E_AUTH, &usual, 0, &delay), SCHEDULE_FAILED);
    assert_int_equal(passed(&s, E_NET, &usual, 0, &delay), SCHEDULE_FAILED);
    assert_int_equal(passed(&s, E_AUTH, &usual, 0, &delay), SCHEDULE_FAILED);
}

static void test_locked_is_no_failure(void **state)
{
    struct schedule s = { 0 };
    int64_t delay, all = 0;

    (void)state;
    assert_int_equal(passed(&s, E_TIMEOUT, &usual, 0, &delay), SCHEDULE_FAILED);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(passed(&s, E_LOCKED, &usual, 2, &delay), SCHEDULE_LOCKED);
        assert_in_range(delay, 1000, 38 * 1000);
        all += delay;
    }
    assert_true(all > 30 * MINUTE);
    assert_int_equal(s.failures, 1);
    assert_int_equal(passed(&s, E_NONE, &usual, 0, &delay), SCHEDULE_WELL);
    assert_int_equal(passed(&s, E_LOCKED, &usual, 0, &delay), SCHEDULE_LOCKED);
    assert_in_range(delay, 1500, 2500);
}

/* One message or one folder is no reason to look less often. */
static void test_partly(void **state)
{
    static const enum err_code codes[] = { E_MESSAGE, E_NOFOLDER };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        struct schedule s = { 0 };
        int64_t delay;

        for (int n = 1; n < 10; n++) {
            assert_int_equal(passed(&s, codes[i], &usual, 0, &delay), SCHEDULE_PARTLY);
            assert_int_equal(delay, 270 * 1000);
            assert_int_equal(s.failures, n);
        }
    }
}

static void test_hints(void **state)
{
    struct err e = failure(E_BUSY);
    struct schedule s = { 0 };
    const struct schedule_limits slow = { .interval_s = 60, .login_delay_s = 900 };
    int64_t delay;

    (void)state;
    assert_int_equal(schedule_hint(""), 0);
    assert_int_equal(schedule_hint("Server Unavailable. 15"), 0);
    assert_int_equal(schedule_hint("Request is throttled. Suggested Backoff Time: 299961 milliseconds"), 299961);
    assert_int_equal(schedule_hint("suggested backoff time:7"), 7);
    assert_int_equal(schedule_hint("Suggested Backoff Time: -5"), 0);
    assert_int_equal(schedule_hint("Suggested Backoff Time: 99999999999999999999999999"), DAY);
    err_peer(&e, SLICE("Request is throttled. Suggested Backoff Time: 299961 milliseconds"));
    assert_int_equal(schedule_passed(&s, &e, &usual, 0, &delay), SCHEDULE_FAILED);
    assert_int_equal(delay, 299961);
    /* LOGIN-DELAY, in success and failure alike. */
    assert_int_equal(passed(&s, E_NONE, &slow, 0, &delay), SCHEDULE_WELL);
    assert_int_equal(delay, 900 * 1000);
    assert_int_equal(passed(&s, E_NET, &slow, 0, &delay), SCHEDULE_FAILED);
    assert_int_equal(delay, 900 * 1000);
}

/* A server that tells of news for ever, of which there is none, is asked as often as one that does not tell. */
static void test_vain_news(void **state)
{
    struct schedule s = { 0 };
    int64_t now = 0;
    unsigned passes = 0;

    (void)state;
    for (; now < 7LL * DAY; passes++) {
        schedule_news_passed(&s, false);
        now += schedule_news(&s, 300) + 20;
    }
    assert_in_range(passes, 2000, 2050);
    schedule_news_passed(&s, true);
    assert_int_equal(schedule_news(&s, 300), 0);
}

static void test_spread(void **state)
{
    int64_t last = 0;

    (void)state;
    assert_int_equal(schedule_spread(0), 0);
    assert_int_equal(schedule_spread(99), 0);
    for (size_t i = 100; i < 1000; i++) {
        assert_true(schedule_spread(i) >= last);
        last = schedule_spread(i);
    }
    assert_in_range(last, 8000, 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_interval_with_jitter),
        cmocka_unit_test(test_backoff_of_two_weeks),
        cmocka_unit_test(test_first_backoff),
        cmocka_unit_test(test_refused_twice_stops),
        cmocka_unit_test(test_locked_is_no_failure),
        cmocka_unit_test(test_partly),
        cmocka_unit_test(test_hints),
        cmocka_unit_test(test_vain_news),
        cmocka_unit_test(test_spread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
