/* SPDX-License-Identifier: MIT */
#include "base/secret.h"

#include "../unit.h"

static void test_set(void **state)
{
    struct secret s = { NULL, 0 };
    char longest[SECRET_MAX + 1];

    (void)state;
    memset(longest, 'p', sizeof(longest));
    CASE("not set");
    CHECK(!secret_is_set(&s));
    CHECK_INT(secret_get(&s).n, 0);
    CASE("set, with any bytes");
    CHECK_INT(secret_set(&s, SLICE("p\0\xff")), 0);
    CHECK(secret_is_set(&s));
    CHECK_SLICE(secret_get(&s), SLICE("p\0\xff"));
    CASE("changed");
    CHECK_INT(secret_set(&s, SLICE("other")), 0);
    CHECK_SLICE(secret_get(&s), SLICE("other"));
    CASE("the longest");
    CHECK_INT(secret_set(&s, slice_make(longest, SECRET_MAX)), 0);
    CHECK_SLICE(secret_get(&s), slice_make(longest, SECRET_MAX));
    CASE("too long: and the old one is gone");
    CHECK_INT(secret_set(&s, slice_make(longest, SECRET_MAX + 1)), -1);
    CHECK(!secret_is_set(&s));
    CASE("an empty password is a password");
    CHECK_INT(secret_set(&s, SLICE("")), 0);
    CHECK(secret_is_set(&s));
    secret_release(&s);
    CHECK(!secret_is_set(&s));
    secret_release(&s);
}

/* The kernel's word on the page: "dd" is left out of core dumps, "wf" is wiped in forked children. */
static void test_page(void **state)
{
    struct secret s = { NULL, 0 };
    char line[512];
    bool here = false, dontdump = false, wipeonfork = false;
    FILE *f = fopen("/proc/self/smaps", "re");

    (void)state;
    if (f == NULL)
        skip();
    CASE("the page of a secret");
    CHECK_INT(secret_set(&s, SLICE("password")), 0);
    rewind(f);
    while (fgets(line, sizeof(line), f) != NULL) {
        char *end;
        unsigned long from = strtoul(line, &end, 16), to = *end == '-' ? strtoul(end + 1, &end, 16) : 0;

        if (to != 0 && *end == ' ')
            here = (uintptr_t)s.p >= from && (uintptr_t)s.p < to;
        if (here && strncmp(line, "VmFlags:", 8) == 0) {
            dontdump = strstr(line, " dd") != NULL;
            wipeonfork = strstr(line, " wf") != NULL;
        }
    }
    fclose(f);
    CHECK(dontdump);
    CHECK(wipeonfork);
    secret_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_set), cmocka_unit_test(test_page) };

    return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
