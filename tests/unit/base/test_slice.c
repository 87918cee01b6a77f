/* SPDX-License-Identifier: MIT */
#include "base/slice.h"

#include "../unit.h"

static void test_compare(void **state)
{
    (void)state;
    CASE("bytes, not strings");
    CHECK(slice_eq(SLICE("a\0b"), SLICE("a\0b")));
    CHECK(!slice_eq(SLICE("a\0b"), SLICE("a\0c")));
    CHECK(!slice_eq(SLICE("a"), SLICE("a\0")));
    CHECK(!slice_eq(SLICE("a"), SLICE("A")));
    CASE("nothing equals nothing");
    CHECK(slice_eq(SLICE_NONE, SLICE("")));
    CHECK(slice_ieq(SLICE(""), SLICE_NONE));
    CASE("case of ASCII letters alone");
    CHECK(slice_ieq(SLICE("UidL-2"), SLICE("uIDl-2")));
    CHECK(!slice_ieq(SLICE("@"), SLICE("`")));
    CHECK(!slice_ieq(SLICE("["), SLICE("{")));
    CHECK(!slice_ieq(SLICE("\xc3\x84"), SLICE("\xc3\xa4")));
    CHECK(!slice_ieq(SLICE("ab"), SLICE("abc")));
}

static void test_starts(void **state)
{
    (void)state;
    CASE("prefixes");
    CHECK(slice_starts(SLICE("+OK ready"), SLICE("+OK")));
    CHECK(slice_starts(SLICE("+OK"), SLICE("")));
    CHECK(slice_starts(SLICE_NONE, SLICE("")));
    CHECK(!slice_starts(SLICE("+O"), SLICE("+OK")));
    CHECK(!slice_starts(SLICE("+ok"), SLICE("+OK")));
    CHECK(slice_istarts(SLICE("+ok"), SLICE("+OK")));
    CHECK(!slice_istarts(SLICE("+o"), SLICE("+OK")));
}

static void test_trim(void **state)
{
    static const struct {
        struct slice in, out;
    } cases[] = {
        { SLICE("  \t a b \t\r\n"), SLICE("a b") }, { SLICE("a"), SLICE("a") },
        { SLICE(" \t \r\n"), SLICE("") },           { SLICE(""), SLICE("") },
        { SLICE("\r\na"), SLICE("\r\na") },         { SLICE(" \0 "), SLICE("\0") },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CASE("trim %zu", i);
        CHECK_SLICE(slice_trim(cases[i].in), cases[i].out);
    }
    CASE("nothing to trim");
    CHECK_INT(slice_trim(SLICE_NONE).n, 0);
}

static void test_dup_and_nul(void **state)
{
    char *copy = slice_dup(SLICE("a\0b"));

    (void)state;
    CASE("a copy ends with NUL");
    CHECK_SLICE(slice_make(copy, 4), SLICE("a\0b\0"));
    free(copy);
    copy = slice_dup(SLICE_NONE);
    CHECK_SLICE(slice_str(copy), SLICE(""));
    free(copy);
    CASE("NUL is seen anywhere");
    CHECK(slice_has_nul(SLICE("\0")));
    CHECK(slice_has_nul(SLICE("a\0b")));
    CHECK(slice_has_nul(SLICE("a\0")));
    CHECK(!slice_has_nul(SLICE("ab")));
    CHECK(!slice_has_nul(SLICE_NONE));
    CASE("a string that is not there");
    CHECK_INT(slice_str(NULL).n, 0);
    CASE("printing");
    char line[32];
    snprintf(line, sizeof(line), "[%.*s][%.*s]", SLICE_ARG(SLICE("abc")), SLICE_ARG(SLICE_NONE));
    CHECK_SLICE(slice_str(line), SLICE("[abc][]"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_starts),
        cmocka_unit_test(test_trim),
        cmocka_unit_test(test_dup_and_nul),
    };

    return cmocka_run_group_tests_name("slice", tests, NULL, NULL);
}
