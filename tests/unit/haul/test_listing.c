/* SPDX-License-Identifier: MIT */
#include "haul/listing.h"

#include "../unit.h"
#include "wire/limits.h"

static struct err e;

static void test_add_and_find(void **state)
{
    struct listing l;

    (void)state;
    listing_init(&l);
    CHECK(listing_find(&l, 1) == NULL);
    for (uint32_t n = 1; n <= 1000; n++) {
        char uidl[32];

        snprintf(uidl, sizeof(uidl), "id%" PRIu32, n);
        CHECK_INT(listing_add(&l, n * 3, n * 10, slice_str(uidl), &e), 0);
    }
    for (uint32_t n = 0; n <= 3003; n++) {
        const struct listing_entry *entry = listing_find(&l, n);
        char uidl[32];

        CASE("number %" PRIu32, n);
        CHECK_INT(entry != NULL, n > 0 && n <= 3000 && n % 3 == 0);
        if (entry == NULL)
            continue;
        snprintf(uidl, sizeof(uidl), "id%" PRIu32, n / 3);
        CHECK_SLICE(listing_uidl(&l, entry), slice_str(uidl));
        CHECK_INT(entry->octets, n / 3 * 10);
        CHECK(!entry->weak_id && !entry->unnamed);
    }
    listing_release(&l);
}

static void test_unique_ids(void **state)
{
    static const char odd[] = "\0\xff \r";
    char longest[LIMIT_UIDL + 1];
    struct listing l;

    (void)state;
    memset(longest, 'x', sizeof(longest));
    listing_init(&l);
    CHECK_INT(listing_add(&l, 1, 0, SLICE_NONE, &e), 0);
    CHECK_INT(listing_add(&l, 2, 0, slice_make(odd, sizeof(odd)), &e), 0);
    CHECK_INT(listing_add(&l, 3, 0, slice_make(longest, LIMIT_UIDL), &e), 0);
    CHECK_INT(listing_add(&l, 4, 0, slice_make(longest, LIMIT_UIDL + 1), &e), -1);
    CHECK_INT(e.code, E_PROTO);
    CHECK_INT(l.count, 3);
    CHECK_INT(listing_uidl(&l, &l.v[0]).n, 0);
    CHECK_SLICE(listing_uidl(&l, &l.v[1]), slice_make(odd, sizeof(odd)));
    CHECK_SLICE(listing_uidl(&l, &l.v[2]), slice_make(longest, LIMIT_UIDL));
    CHECK_INT(listing_set_uidl(&l, 0, SLICE("now"), &e), 0);
    CHECK_SLICE(listing_uidl(&l, &l.v[0]), SLICE("now"));
    listing_forget_uidl(&l.v[0]);
    CHECK_INT(listing_uidl(&l, &l.v[0]).n, 0);
    CHECK_SLICE(listing_uidl(&l, &l.v[1]), slice_make(odd, sizeof(odd)));
    listing_release(&l);
}

static void test_limits(void **state)
{
    char uidl[LIMIT_UIDL];
    struct listing l;
    uint32_t n = 0;

    (void)state;
    memset(uidl, 'x', sizeof(uidl));
    listing_init(&l);
    while (n < LIMIT_LISTING && listing_add(&l, n + 1, 1, SLICE_NONE, &e) == 0)
        n++;
    CHECK_INT(n, LIMIT_LISTING);
    CHECK_INT(listing_add(&l, n + 1, 1, SLICE_NONE, &e), -1);
    CHECK_INT(e.code, E_PROTO);
    CHECK_INT(l.count, LIMIT_LISTING);

    listing_clear(&l);
    CHECK_INT(l.count, 0);
    for (n = 0; listing_add(&l, n + 1, 1, slice_make(uidl, sizeof(uidl)), &e) == 0; n++)
        ;
    CHECK_INT(e.code, E_PROTO);
    CHECK_INT(n, LIMIT_LISTING_BYTES / (LIMIT_UIDL + 2));
    CHECK_INT(l.count, n);
    listing_release(&l);
}

static void test_clear(void **state)
{
    struct listing l;

    (void)state;
    listing_init(&l);
    CHECK_INT(listing_add(&l, 1, 10, SLICE("old"), &e), 0);
    l.unchanged = l.complete = l.no_unique_ids = true;
    l.uidvalidity = l.uidnext = l.messages = 9;
    listing_clear(&l);
    CHECK(!l.unchanged && !l.complete && !l.no_unique_ids);
    CHECK_INT(l.uidvalidity + l.uidnext + l.messages, 0);
    CHECK_INT(listing_add(&l, 2, 10, SLICE("new"), &e), 0);
    CHECK(listing_find(&l, 1) == NULL);
    CHECK_SLICE(listing_uidl(&l, &l.v[0]), SLICE("new"));
    listing_release(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add_and_find),
        cmocka_unit_test(test_unique_ids),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
