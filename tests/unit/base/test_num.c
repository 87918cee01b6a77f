/* SPDX-License-Identifier: MIT */
#include "base/num.h"

#include "../unit.h"

static const struct {
    const char *name;
    struct slice text;
    int take; /* 0 or -1 */
    uint64_t value;
    struct slice rest;
} cases[] = {
    { "zero", SLICE("0"), 0, 0, SLICE("") },
    { "leading zeros", SLICE("0007x"), 0, 7, SLICE("x") },
    { "many leading zeros", SLICE("000000000000000000000000000000000001"), 0, 1, SLICE("") },
    { "the largest 32-bit number", SLICE("4294967295"), 0, UINT32_MAX, SLICE("") },
    { "one more", SLICE("4294967296"), 0, UINT64_C(4294967296), SLICE("") },
    { "the largest 64-bit number", SLICE("18446744073709551615"), 0, UINT64_MAX, SLICE("") },
    { "one more", SLICE("18446744073709551616"), -1, 0, SLICE("") },
    { "ten times more", SLICE("184467440737095516150"), -1, 0, SLICE("") },
    { "99999999999999999999", SLICE("99999999999999999999"), -1, 0, SLICE("") },
    { "a blank behind", SLICE("12 34"), 0, 12, SLICE(" 34") },
    { "NUL behind", SLICE("12\0"), 0, 12, SLICE("\0") },
    { "empty", SLICE(""), -1, 0, SLICE("") },
    { "a blank in front", SLICE(" 1"), -1, 0, SLICE("") },
    { "a plus", SLICE("+1"), -1, 0, SLICE("") },
    { "a minus", SLICE("-1"), -1, 0, SLICE("") },
    { "hexadecimal", SLICE("0x1f"), 0, 0, SLICE("x1f") },
    { "a letter", SLICE("a"), -1, 0, SLICE("") },
    { "other digits of Unicode", SLICE("\xd9\xa1"), -1, 0, SLICE("") },
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bool small = cases[i].value <= UINT32_MAX;
        char *exact = slice_dup(cases[i].text);
        struct slice text = slice_make(exact, cases[i].text.n), left = text;
        uint64_t v = 4711;
        uint32_t w = 4711;
        int whole = cases[i].take == 0 && cases[i].rest.n == 0 ? 0 : -1;

        CASE("%s", cases[i].name);
        CHECK_INT(num_take_u64(&left, &v), cases[i].take);
        CHECK(v == (cases[i].take == 0 ? cases[i].value : 4711));
        CHECK_SLICE(left, cases[i].take == 0 ? cases[i].rest : text);
        left = text;
        CHECK_INT(num_take_u32(&left, &w), small ? cases[i].take : -1);
        CHECK(w == (cases[i].take == 0 && small ? cases[i].value : 4711));
        CHECK_SLICE(left, cases[i].take == 0 && small ? cases[i].rest : text);
        v = w = 4711;
        CHECK_INT(num_parse_u64(text, &v), whole);
        CHECK(v == (whole == 0 ? cases[i].value : 4711));
        CHECK_INT(num_parse_u32(text, &w), small ? whole : -1);
        CHECK(w == (whole == 0 && small ? cases[i].value : 4711));
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases) };

    return cmocka_run_group_tests_name("num", tests, NULL, NULL);
}
