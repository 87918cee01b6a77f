/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include "../unit.h"

static void test_empty(void **state)
{
    struct buf b;

    (void)state;
    CASE("a buffer that was only initialised");
    buf_init(&b, 10);
    CHECK_SLICE(slice_str(buf_cstr(&b)), SLICE(""));
    CHECK_INT(buf_slice(&b).n, 0);
    buf_clear(&b);
    buf_wipe(&b);
    buf_truncate(&b, 0);
    CHECK_INT(buf_put(&b, NULL, 0), 0);
    buf_release(&b);
    buf_release(&b);
    CASE("it can be used again");
    CHECK_INT(buf_put_str(&b, "again"), 0);
    CHECK_SLICE(buf_slice(&b), SLICE("again"));
    buf_release(&b);
}

/* Every way to append, to a buffer that has room for exactly what the case wants. */
static void test_maximum(void **state)
{
    (void)state;
    for (size_t max = 0; max <= 300; max++) {
        struct buf b = BUF_INIT(max);

        CASE("filled to a maximum of %zu", max);
        for (size_t i = 0; i < max; i++) {
            CHECK(!buf_full(&b, 1));
            CHECK_INT(buf_put_char(&b, (char)('a' + i % 26)), 0);
            CHECK_INT(strlen(buf_cstr(&b)), i + 1);
        }
        CHECK(buf_full(&b, 1));
        CHECK(!buf_full(&b, 0));
        CHECK_INT(buf_put_char(&b, 'x'), -1);
        CHECK_INT(buf_put_str(&b, "xy"), -1);
        CHECK_INT(buf_put_slice(&b, SLICE("x")), -1);
        CHECK_INT(buf_putf(&b, "%d", 12345), -1);
        CHECK_INT(buf_reserve(&b, 1), -1);
        CHECK_INT(buf_reserve(&b, SIZE_MAX), -1);
        CHECK_INT(buf_put_str(&b, ""), 0);
        CHECK_INT(b.len, max);
        for (size_t i = 0; i < max; i++)
            CHECK_INT(b.p[i], 'a' + i % 26);
        CHECK(b.cap <= max + 1);
        buf_release(&b);
    }
}

static void test_all_or_nothing(void **state)
{
    struct buf b = BUF_INIT(8);

    (void)state;
    CASE("an append that does not fit leaves the contents");
    CHECK_INT(buf_put_str(&b, "12345"), 0);
    CHECK_INT(buf_put_str(&b, "6789"), -1);
    CHECK_SLICE(buf_slice(&b), SLICE("12345"));
    CHECK_INT(buf_putf(&b, "%s", "6789"), -1);
    CHECK_SLICE(buf_slice(&b), SLICE("12345"));
    CHECK_SLICE(slice_str(buf_cstr(&b)), SLICE("12345"));
    CASE("one that fits exactly");
    CHECK_INT(buf_putf(&b, "%s", "678"), 0);
    CHECK_SLICE(buf_slice(&b), SLICE("12345678"));
    buf_release(&b);
}

static void test_growth(void **state)
{
    struct buf b = BUF_INIT(1 << 20);

    (void)state;
    CASE("the contents survive growth");
    for (int i = 0; i < 100000; i++)
        CHECK_INT(buf_putf(&b, "%06d", i), 0);
    for (int i = 0; i < 100000; i += 777) {
        char want[16];

        snprintf(want, sizeof(want), "%06d", i);
        CHECK_SLICE(slice_make(b.p + (size_t)i * 6, 6), slice_str(want));
    }
    CASE("room is made in one step");
    buf_clear(&b);
    CHECK_INT(buf_reserve(&b, 1 << 20), 0);
    memset(b.p, 'r', 1 << 20);
    buf_grew(&b, 1 << 20);
    CHECK_INT(strlen(buf_cstr(&b)), 1 << 20);
    buf_release(&b);
}

static void test_clear_truncate_wipe(void **state)
{
    struct buf b = BUF_INIT(100);

    (void)state;
    CHECK_INT(buf_put(&b, "pass\0word", 9), 0);
    CASE("NUL bytes count");
    CHECK_SLICE(buf_slice(&b), SLICE("pass\0word"));
    CASE("cut back");
    buf_truncate(&b, 2);
    CHECK_SLICE(buf_slice(&b), SLICE("pa"));
    CHECK_SLICE(slice_str(buf_cstr(&b)), SLICE("pa"));
    CASE("cleared");
    buf_clear(&b);
    CHECK_SLICE(slice_str(buf_cstr(&b)), SLICE(""));
    CASE("wiped: nothing of it is left in memory");
    CHECK_INT(buf_put_str(&b, "secret words"), 0);
    buf_truncate(&b, 1);
    buf_wipe(&b);
    CHECK_INT(b.len, 0);
    for (size_t i = 0; i < b.cap; i++)
        CHECK_INT(b.p[i], 0);
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_maximum),
        cmocka_unit_test(test_all_or_nothing),
        cmocka_unit_test(test_growth),
        cmocka_unit_test(test_clear_truncate_wipe),
    };

    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
