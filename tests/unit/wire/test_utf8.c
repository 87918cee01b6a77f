/* SPDX-License-Identifier: MIT */
#include "wire/utf8.h"

#include "../unit.h"

static const struct {
    const char *name;
    struct slice bytes;
    bool valid;
} cases[] = {
    { "empty", SLICE(""), true },
    { "NUL", SLICE("\0"), true },
    { "one to four bytes", SLICE("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x93\xac"), true },
    { "the last of each length", SLICE("\x7f\xdf\xbf\xef\xbf\xbf\xf4\x8f\xbf\xbf"), true },
    { "around the surrogates", SLICE("\xed\x9f\xbf\xee\x80\x80"), true },
    { "a surrogate", SLICE("\xed\xa0\x80"), false },
    { "the last surrogate", SLICE("\xed\xbf\xbf"), false },
    { "above U+10FFFF", SLICE("\xf4\x90\x80\x80"), false },
    { "five bytes", SLICE("\xf8\x88\x80\x80\x80"), false },
    { "a long NUL", SLICE("\xc0\x80"), false },
    { "a long slash", SLICE("\xc0\xaf"), false },
    { "long in three bytes", SLICE("\xe0\x9f\xbf"), false },
    { "long in four bytes", SLICE("\xf0\x8f\xbf\xbf"), false },
    { "a continuation byte alone", SLICE("\x80"), false },
    { "cut off", SLICE("a\xe2\x82"), false },
    { "cut off by a letter",
      SLICE("\xc3"
            "a"),
      false },
    { "Latin-1", SLICE("caf\xe9"), false },
};

static void test_valid(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *exact = slice_dup(cases[i].bytes);

        CASE("%s", cases[i].name);
        CHECK_INT(utf8_valid(slice_make(exact, cases[i].bytes.n)), cases[i].valid);
        free(exact);
    }
}

static void test_every_character(void **state)
{
    struct buf out = BUF_INIT(4);

    (void)state;
    for (uint32_t cp = 0; cp <= 0x110000; cp++) {
        bool character = cp <= 0x10ffff && (cp < 0xd800 || cp > 0xdfff);
        struct slice s;
        uint32_t back;

        CASE("U+%04X", (unsigned)cp);
        buf_clear(&out);
        CHECK_INT(utf8_put(&out, cp), character ? 0 : -1);
        s = buf_slice(&out);
        CHECK_INT(utf8_take(&s, &back), character ? 0 : -1);
        if (character)
            CHECK_INT(back, cp);
        CHECK_INT(s.n, 0);
    }
    buf_release(&out);
}

static void test_ill_formed_is_left(void **state)
{
    struct slice s = SLICE("\xff"
                           "a");
    uint32_t cp = 7;

    (void)state;
    CASE("what is no character is not taken");
    CHECK_INT(utf8_take(&s, &cp), -1);
    CHECK_INT(s.n, 2);
    CHECK_INT(cp, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_every_character),
        cmocka_unit_test(test_ill_formed_is_left),
    };

    return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
