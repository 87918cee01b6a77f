/* SPDX-License-Identifier: MIT */
#include "wire/base64.h"

#include "../unit.h"

/* RFC 4648 section 10, and bytes that need the last letters of the alphabet. */
static const struct {
    const char *name;
    struct slice bytes, text;
} cases[] = {
    { "empty", SLICE(""), SLICE("") },
    { "one byte", SLICE("f"), SLICE("Zg==") },
    { "two bytes", SLICE("fo"), SLICE("Zm8=") },
    { "three bytes", SLICE("foo"), SLICE("Zm9v") },
    { "four bytes", SLICE("foob"), SLICE("Zm9vYg==") },
    { "six bytes", SLICE("foobar"), SLICE("Zm9vYmFy") },
    { "SASL PLAIN", SLICE("\0tim\0tanstaaftanstaaf"), SLICE("AHRpbQB0YW5zdGFhZnRhbnN0YWFm") },
    { "plus and slash", SLICE("\xfb\xff\xfe"), SLICE("+//+") },
    { "zeros", SLICE("\0\0\0\0"), SLICE("AAAAAA==") },
};

static const struct {
    const char *name;
    struct slice text;
} refused[] = {
    { "no padding", SLICE("Zg") },
    { "half the padding", SLICE("Zg=") },
    { "padding alone", SLICE("====") },
    { "three pads", SLICE("Z===") },
    { "padding in front", SLICE("=Zg=") },
    { "a letter behind the padding", SLICE("Zg=g") },
    { "padding inside", SLICE("Zg==Zm9v") },
    { "padding too long", SLICE("Zm9v====") },
    { "bits left over, two pads", SLICE("Zh==") },
    { "bits left over, one pad", SLICE("Zm9=") },
    { "a blank", SLICE("Zm 9") },
    { "a line end", SLICE("Zm9v\r\n\r\n") },
    { "the URL alphabet", SLICE("-__-") },
    { "8-bit", SLICE("Zm9\xff") },
    { "NUL", SLICE("Zm9\0") },
};

static void test_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out = BUF_INIT(100);

        CASE("%s", cases[i].name);
        CHECK_INT(base64_encode(cases[i].bytes, &out), 0);
        CHECK_SLICE(buf_slice(&out), cases[i].text);
        buf_clear(&out);
        CHECK_INT(base64_decode(cases[i].text, &out), 0);
        CHECK_SLICE(buf_slice(&out), cases[i].bytes);
        buf_release(&out);
    }
}

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct chunks c = CHUNKS_INIT(refused[i].text, refused[i].text.n);
        struct buf out = BUF_INIT(100);
        struct slice text;

        CASE("%s", refused[i].name);
        CHECK_INT(buf_put_str(&out, "before"), 0);
        CHECK(chunks_next(&c, &text));
        CHECK_INT(base64_decode(text, &out), -1);
        CHECK(!chunks_next(&c, &text));
        CHECK_SLICE(buf_slice(&out), SLICE("before"));
        buf_release(&out);
    }
}

static void test_no_room(void **state)
{
    struct buf out = BUF_INIT(7);

    (void)state;
    CASE("encoding is whole or not at all");
    CHECK_INT(base64_encode(SLICE("foob"), &out), -1);
    CHECK_INT(out.len, 0);
    CASE("decoding is whole or not at all");
    CHECK_INT(base64_decode(SLICE("Zm9vYmFyZm9v"), &out), -1);
    CHECK_INT(out.len, 0);
    CASE("exactly enough");
    CHECK_INT(base64_decode(SLICE("Zm9vYmFyZg=="), &out), 0);
    CHECK_SLICE(buf_slice(&out), SLICE("foobarf"));
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_no_room),
    };

    return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
