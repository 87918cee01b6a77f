/* SPDX-License-Identifier: MIT */
#include "daemon/metrics.h"

#include "../unit.h"

static struct status_line failing(const char *name)
{
    struct status_line l = {
        .account = name, .enabled = true, .live = true, .doing = ACCOUNT_BACKOFF, .next_pass = 1795225099
    };

    l.last = (struct last){ .known = true,
                            .ended = 1795225021,
                            .failures = 3,
                            .exit_status = 75,
                            .error_name = "network",
                            .error = "refused",
                            .messages_today = 7,
                            .bytes_today = 7000,
                            .set_aside = 2,
                            .total = { .passes = 12, .failures = 4, .messages = 99 } };
    return l;
}

static bool has_line(const struct buf *text, const char *line)
{
    const char *at = buf_cstr(text);
    size_t n = strlen(line);

    while ((at = strstr(at, line)) != NULL) {
        if ((at == text->p || at[-1] == '\n') && at[n] == '\n')
            return true;
        at += n;
    }
    return false;
}

static void samples(void **state)
{
    static const char *const wanted[] = {
        "mailhaul_up 1",
        "mailhaul_start_time_seconds 1795225000",
        "mailhaul_accounts 2",
        "# TYPE mailhaul_passes_total counter",
        "mailhaul_passes_total{account=\"work\"} 12",
        "mailhaul_failures_total{account=\"work\"} 4",
        "mailhaul_messages_total{account=\"work\"} 99",
        "mailhaul_messages_today{account=\"work\"} 7",
        "mailhaul_quarantine_messages{account=\"work\"} 2",
        "mailhaul_consecutive_failures{account=\"work\"} 3",
        "mailhaul_last_exit_status{account=\"work\"} 75",
        "mailhaul_next_pass_timestamp_seconds{account=\"work\"} 1795225099",
        "mailhaul_state{account=\"work\",state=\"backoff\"} 1",
        "mailhaul_state{account=\"work\",state=\"waiting\"} 0",
        "mailhaul_passes_total{account=\"new\"} 0",
    };
    struct status_line lines[2] = { failing("work"), { .account = "new", .enabled = true } };
    struct metrics m = { .up = true, .since = 1795225000, .lines = lines, .count = 2 };
    struct buf text = BUF_INIT(METRICS_MAX);

    (void)state;
    assert_int_equal(metrics_put(&m, &text), 0);
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        CASE("%s", wanted[i]);
        CHECK(has_line(&text, wanted[i]));
    }
    /* What never was has no time, and what no daemon has is in no state. */
    assert_null(strstr(buf_cstr(&text), "last_success_timestamp_seconds{"));
    assert_null(strstr(buf_cstr(&text), "state{account=\"new\""));
    buf_release(&text);
}

static void labels(void **state)
{
    static const struct {
        const char *name, *label;
    } cases[] = {
        { "a\"b", "mailhaul_bytes_total{account=\"a\\\"b\"} 0" },
        { "a\\b", "mailhaul_bytes_total{account=\"a\\\\b\"} 0" },
        { "a\nb", "mailhaul_bytes_total{account=\"a\\\\x0ab\"} 0" },
        { "a\xff", "mailhaul_bytes_total{account=\"a\\\\xff\"} 0" },
        { "caf\xc3\xa9", "mailhaul_bytes_total{account=\"caf\xc3\xa9\"} 0" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct status_line line = { .account = cases[i].name };
        struct buf text = BUF_INIT(METRICS_MAX);

        CASE("account %s", cases[i].name);
        CHECK_INT(metrics_put(&(struct metrics){ .lines = &line, .count = 1 }, &text), 0);
        CHECK(has_line(&text, cases[i].label));
        CHECK(has_line(&text, "mailhaul_up 0"));
        buf_release(&text);
    }
}

static void too_much(void **state)
{
    struct status_line line = failing("work");
    struct buf text = BUF_INIT(500);

    (void)state;
    assert_int_equal(metrics_put(&(struct metrics){ .lines = &line, .count = 1 }, &text), -1);
    buf_release(&text);
}

static void words(void **state)
{
    static const struct {
        struct status_line line;
        const char *words;
    } cases[] = {
        { { .enabled = true }, "no daemon" },
        { { .enabled = false }, "not enabled" },
        { { .live = true, .doing = ACCOUNT_RUNNING, .phase = HAUL_FETCHING, .messages = 12, .wanted_messages = 40 },
          "fetching 12 of 40" },
        { { .live = true, .doing = ACCOUNT_RUNNING, .phase = HAUL_CONNECTING }, "connecting" },
        { { .live = true, .doing = ACCOUNT_WAITING, .how = WAIT_IDLE, .folder = "INBOX", .connections = 1 },
          "waiting (IDLE on INBOX)" },
        { { .live = true, .doing = ACCOUNT_WAITING, .how = WAIT_IDLE, .folder = "a\x1b[2J", .connections = 3 },
          "waiting (IDLE on a\\x1b[2J and 2 more)" },
        { { .live = true, .doing = ACCOUNT_WAITING, .how = WAIT_NOTIFY }, "waiting (NOTIFY)" },
        { { .live = true, .doing = ACCOUNT_BACKOFF, .next_pass = 1000 + 180 }, "next try in 3 min" },
        { { .live = true, .doing = ACCOUNT_SLEEPING, .next_pass = 1000 + 2 * 3600 + 300 }, "next look in 2 h 5 min" },
        { { .live = true, .doing = ACCOUNT_SLEEPING, .next_pass = 999 }, "next look now" },
    };
    char out[320];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CASE("%s", cases[i].words);
        status_words(&cases[i].line, 1000, out, sizeof(out));
        CHECK_SLICE(slice_str(out), slice_str(cases[i].words));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(samples), cmocka_unit_test(labels), cmocka_unit_test(too_much),
                                        cmocka_unit_test(words) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
