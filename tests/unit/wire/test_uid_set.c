/* SPDX-License-Identifier: MIT */
#include "wire/imap_write.h"

#include "../unit.h"
#include "wire/limits.h"

static void check_set(const struct uid_set *s, struct slice want)
{
    struct buf out = BUF_INIT(LIMIT_LINE);
    size_t at = 0;

    CHECK_INT(uid_set_put(s, &at, LIMIT_LINE, &out), 0);
    CHECK_INT(at, s->count);
    CHECK_SLICE(buf_slice(&out), want);
    buf_release(&out);
}

static void test_add(void **state)
{
    static const struct {
        const char *name;
        uint32_t uids[8]; /* up to the first 0 */
        struct slice want;
    } cases[] = {
        { "none", { 0 }, SLICE("") },
        { "one", { 7 }, SLICE("7") },
        { "ascending", { 1, 2, 3, 5, 7, 8 }, SLICE("1:3,5,7:8") },
        { "descending", { 8, 7, 5, 3, 2, 1 }, SLICE("1:3,5,7:8") },
        { "twice", { 5, 5, 3, 5, 3 }, SLICE("3,5") },
        { "the gap closes", { 1, 3, 2 }, SLICE("1:3") },
        { "in front of the last range", { 5, 6, 9, 8, 4 }, SLICE("4:6,8:9") },
        { "inside a range", { 1, 2, 3, 9, 2 }, SLICE("1:3,9") },
        { "the largest", { UINT32_MAX, UINT32_MAX - 1, 1, UINT32_MAX }, SLICE("1,4294967294:4294967295") },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct uid_set s = UID_SET_INIT;

        CASE("%s", cases[i].name);
        for (size_t k = 0; k < ARRAY_LEN(cases[i].uids) && cases[i].uids[k] != 0; k++)
            CHECK_INT(uid_set_add(&s, cases[i].uids[k]), 0);
        check_set(&s, cases[i].want);
        uid_set_release(&s);
    }
}

static void test_zero(void **state)
{
    struct uid_set s = UID_SET_INIT;

    (void)state;
    CASE("0 is no UID");
    CHECK_INT(uid_set_add(&s, 0), -1);
    CHECK_INT(s.count, 0);
    CHECK(!uid_set_has(&s, 0));
    uid_set_release(&s);
}

/* Against the plainest set there is: an array of booleans. */
static void test_any_order(void **state)
{
    enum { RANGE = 64, ADDS = 40 };
    uint32_t seed = 1;

    (void)state;
    for (int round = 0; round < 500; round++) {
        bool plain[RANGE + 1] = { false };
        struct uid_set s = UID_SET_INIT;
        uint64_t size = 0;

        CASE("round %d", round);
        for (int i = 0; i < ADDS; i++) {
            seed = seed * 1103515245 + 12345;
            uint32_t uid = (seed >> 16) % RANGE + 1;
            plain[uid] = true;
            CHECK_INT(uid_set_add(&s, uid), 0);
        }
        for (uint32_t uid = 0; uid <= RANGE; uid++) {
            CHECK_INT(uid_set_has(&s, uid), plain[uid]);
            size += plain[uid] ? 1 : 0;
        }
        CHECK_INT(uid_set_size(&s), size);
        for (size_t i = 1; i < s.count; i++)
            CHECK(s.ranges[i].first > s.ranges[i - 1].last + 1 && s.ranges[i].first <= s.ranges[i].last);
        uid_set_release(&s);
    }
}

static void test_put_in_pieces(void **state)
{
    struct uid_set s = UID_SET_INIT;
    struct buf out = BUF_INIT(1000), all = BUF_INIT(1000);

    (void)state;
    CHECK_INT(uid_set_parse(SLICE("1:5,9,100:200,4000000000:4294967295"), 10, &s), 0);
    for (size_t room = 21; room < 60; room++) {
        size_t at = 0;

        CASE("%zu bytes a piece", room);
        buf_clear(&all);
        while (at < s.count) {
            size_t before = at;

            buf_clear(&out);
            CHECK_INT(uid_set_put(&s, &at, room, &out), 0);
            CHECK(at > before && out.len <= room);
            CHECK(buf_putf(&all, "%s%s", before > 0 ? "," : "", buf_cstr(&out)) == 0);
        }
        CHECK_SLICE(buf_slice(&all), SLICE("1:5,9,100:200,4000000000:4294967295"));
    }
    CASE("no room at all");
    size_t at = 3;
    buf_clear(&out);
    CHECK_INT(uid_set_put(&s, &at, 20, &out), 0);
    CHECK_INT(at, 3);
    CHECK_INT(out.len, 0);
    buf_release(&out);
    buf_release(&all);
    uid_set_release(&s);
}

static void test_parse(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        int rc;
        struct slice want;
        uint64_t size;
    } cases[] = {
        { "one", SLICE("7"), 0, SLICE("7"), 1 },
        { "ranges", SLICE("1:5,9"), 0, SLICE("1:5,9"), 6 },
        { "backwards", SLICE("5:1"), 0, SLICE("1:5"), 5 },
        { "overlapping, out of order", SLICE("9,3:7,1:4,8"), 0, SLICE("1:9"), 9 },
        { "all there are", SLICE("1:4294967295"), 0, SLICE("1:4294967295"), UINT32_MAX },
        { "as many as allowed", SLICE("1,3,5,7"), 0, SLICE("1,3,5,7"), 4 },
        { "one more", SLICE("1,3,5,7,9"), -1, SLICE(""), 0 },
        { "empty", SLICE(""), -1, SLICE(""), 0 },
        { "star", SLICE("1:*"), -1, SLICE(""), 0 },
        { "zero", SLICE("0"), -1, SLICE(""), 0 },
        { "from zero", SLICE("5:0"), -1, SLICE(""), 0 },
        { "more than 32 bits", SLICE("1:4294967296"), -1, SLICE(""), 0 },
        { "negative", SLICE("-1"), -1, SLICE(""), 0 },
        { "a comma at the end", SLICE("1,"), -1, SLICE(""), 0 },
        { "two commas", SLICE("1,,2"), -1, SLICE(""), 0 },
        { "a comma alone", SLICE(","), -1, SLICE(""), 0 },
        { "a blank", SLICE("1, 2"), -1, SLICE(""), 0 },
        { "an open range", SLICE("1:"), -1, SLICE(""), 0 },
        { "three ends", SLICE("1:2:3"), -1, SLICE(""), 0 },
        { "good, then bad", SLICE("1:5,x"), -1, SLICE(""), 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct uid_set s = UID_SET_INIT;

        CASE("%s", cases[i].name);
        CHECK_INT(uid_set_parse(cases[i].in, 4, &s), cases[i].rc);
        check_set(&s, cases[i].want);
        CHECK_INT(uid_set_size(&s), cases[i].size);
        uid_set_release(&s);
    }
    CASE("adds to what is there");
    struct uid_set s = UID_SET_INIT;
    CHECK_INT(uid_set_add(&s, 6), 0);
    CHECK_INT(uid_set_parse(SLICE("1:5"), 4, &s), 0);
    check_set(&s, SLICE("1:6"));
    uid_set_clear(&s);
    check_set(&s, SLICE(""));
    uid_set_release(&s);
    uid_set_release(&s);
}

static void test_bound(void **state)
{
    struct uid_set s = UID_SET_INIT;
    double before = unit_cpu_seconds();

    (void)state;
    CASE("as many ranges as a listing may have");
    for (uint32_t i = 0; i < LIMIT_LISTING; i++)
        CHECK_INT(uid_set_add(&s, 2 * i + 1), 0);
    CHECK_INT(uid_set_add(&s, UINT32_MAX), -1);
    CHECK_INT(s.count, LIMIT_LISTING);
    CASE("a UID that joins two ranges still fits");
    CHECK_INT(uid_set_add(&s, 2), 0);
    CHECK(unit_cpu_seconds() - before < 1.0);
    uid_set_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add),           cmocka_unit_test(test_zero),  cmocka_unit_test(test_any_order),
        cmocka_unit_test(test_put_in_pieces), cmocka_unit_test(test_parse), cmocka_unit_test(test_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
