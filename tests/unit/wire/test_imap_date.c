/* SPDX-License-Identifier: MIT */
#include "wire/imap_parse.h"

#include "../unit.h"
#include "wire/imap_write.h"

static void test_dates(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        int rc;
        int64_t want;
    } cases[] = {
        { "RFC 3501", SLICE("17-Jul-1996 02:44:25 -0700"), 0, 837596665 },
        { "a blank for the first digit", SLICE(" 7-Jul-1996 02:44:25 +0000"), 0, 836707465 },
        { "one digit", SLICE("7-Jul-1996 02:44:25 +0000"), 0, 836707465 },
        { "any case", SLICE("17-JUL-1996 02:44:25 -0700"), 0, 837596665 },
        { "the beginning", SLICE("01-Jan-1970 00:00:00 +0000"), 0, 0 },
        { "before it", SLICE("31-Dec-1969 23:59:59 +0000"), 0, -1 },
        { "east", SLICE("01-Jan-1970 05:30:00 +0530"), 0, 0 },
        { "the year 0", SLICE("01-Jan-0000 00:00:00 +0000"), 0, -62167219200 },
        { "the year 9999", SLICE("31-Dec-9999 23:59:59 +0000"), 0, 253402300799 },
        { "a leap day", SLICE("29-Feb-2000 00:00:00 +0000"), 0, 951782400 },
        { "the day after", SLICE("01-Mar-2000 00:00:00 +0000"), 0, 951868800 },
        { "32 bits are not enough", SLICE("19-Jan-2038 03:14:08 +0000"), 0, INT64_C(2147483648) },
        { "a leap second", SLICE("31-Dec-2016 23:59:60 +0000"), 0, 1483228800 },
        { "blanks around", SLICE("  17-Jul-1996  02:44:25  -0700 "), 0, 837596665 },

        { "no leap day in 1900", SLICE("29-Feb-1900 00:00:00 +0000"), -1, 0 },
        { "no leap day in 2023", SLICE("29-Feb-2023 00:00:00 +0000"), -1, 0 },
        { "day 0", SLICE("00-Jan-2000 00:00:00 +0000"), -1, 0 },
        { "day 31 of 30", SLICE("31-Apr-2000 00:00:00 +0000"), -1, 0 },
        { "month", SLICE("01-Foo-2000 00:00:00 +0000"), -1, 0 },
        { "month cut", SLICE("01-Ja"), -1, 0 },
        { "two-digit year", SLICE("01-Jan-00 00:00:00 +0000"), -1, 0 },
        { "five-digit year", SLICE("01-Jan-20000 00:00:00 +0000"), -1, 0 },
        { "hour", SLICE("01-Jan-2000 24:00:00 +0000"), -1, 0 },
        { "minute", SLICE("01-Jan-2000 00:60:00 +0000"), -1, 0 },
        { "second", SLICE("01-Jan-2000 00:00:61 +0000"), -1, 0 },
        { "no zone", SLICE("01-Jan-2000 00:00:00"), -1, 0 },
        { "zone by name", SLICE("01-Jan-2000 00:00:00 GMT"), -1, 0 },
        { "zone minutes", SLICE("01-Jan-2000 00:00:00 +0060"), -1, 0 },
        { "zone hours", SLICE("01-Jan-2000 00:00:00 +2400"), -1, 0 },
        { "zone cut", SLICE("01-Jan-2000 00:00:00 +000"), -1, 0 },
        { "something behind", SLICE("01-Jan-2000 00:00:00 +00000"), -1, 0 },
        { "quotes", SLICE("\"01-Jan-2000 00:00:00 +0000\""), -1, 0 },
        { "empty", SLICE(""), -1, 0 },
        { "NUL", SLICE("01-Jan-2000\000 00:00:00 +0000"), -1, 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t got = 42;
        char *exact = malloc(cases[i].in.n + 1);

        CASE("%s", cases[i].name);
        CHECK(exact != NULL);
        memcpy(exact + 1, cases[i].in.p, cases[i].in.n);
        CHECK_INT(imap_parse_date(slice_make(exact + 1, cases[i].in.n), &got), cases[i].rc);
        CHECK_INT(got, cases[i].rc == 0 ? cases[i].want : 42);
        free(exact);
    }
}

/* Every day of 400 years and more, against the C library. */
static void test_every_day(void **state)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    (void)state;
    for (int64_t day = -150000; day < 150000; day++) {
        time_t at = (time_t)(day * 86400);
        struct tm tm;
        char text[64];
        int64_t got;
        int n;

        CHECK(gmtime_r(&at, &tm) != NULL);
        n = snprintf(text, sizeof(text), "%02d-%.3s-%04d 00:00:00 +0000", tm.tm_mday, months + tm.tm_mon * 3,
                     tm.tm_year + 1900);
        CASE("%s", text);
        CHECK_INT(imap_parse_date(slice_make(text, (size_t)n), &got), 0);
        CHECK_INT(got, at);
    }
}

/* What is written is what was meant, to the second, at every length of a month. */
static void test_written(void **state)
{
    struct buf out = BUF_INIT(100);
    int64_t got;

    (void)state;
    CHECK_INT(imap_put_date(&out, 837596665), 0);
    CHECK_SLICE(buf_slice(&out), SLICE("\"17-Jul-1996 09:44:25 +0000\""));
    for (int64_t at = INT64_C(-62167219200); at < INT64_C(253402300800); at += 86399 * 7) {
        buf_clear(&out);
        CASE("%" PRId64, at);
        CHECK_INT(imap_put_date(&out, at), 0);
        CHECK_INT(imap_parse_date(slice_make(out.p + 1, out.len - 2), &got), 0);
        CHECK_INT(got, at);
    }
    buf_clear(&out);
    CASE("years that have not four digits");
    CHECK_INT(imap_put_date(&out, INT64_C(253402300800)), -1);
    CHECK_INT(imap_put_date(&out, INT64_C(-62167219201)), -1);
    CHECK_INT(imap_put_date(&out, INT64_MIN), -1);
    CHECK_INT(imap_put_date(&out, INT64_MAX), -1);
    CHECK_INT(out.len, 0);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_every_day),
        cmocka_unit_test(test_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
