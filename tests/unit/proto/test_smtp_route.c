/* SPDX-License-Identifier: MIT */
#include "proto/smtp_route.h"

#include "../unit.h"

enum { SERVERS = 5 };

/* By preference whatever the dice say, nobody lost, and each of three equal ones comes first now and then. */
static void test_sort(void **state)
{
    static const uint16_t preferences[SERVERS] = { 20, 10, 10, 30, 10 };
    unsigned first[SERVERS] = { 0 };

    (void)state;
    for (uint32_t seed = 0; seed < 600; seed++) {
        struct resolve_mx mx[SERVERS];
        uint32_t dice[SERVERS], x = seed * 2654435761u + 1;
        unsigned seen = 0;

        CASE("seed %u", (unsigned)seed);
        for (unsigned i = 0; i < SERVERS; i++) {
            mx[i] = (struct resolve_mx){ .preference = preferences[i] };
            mx[i].host[0] = (char)('a' + i);
            x = x * 1664525u + 1013904223u;
            dice[i] = x >> 8;
        }
        smtp_route_sort(mx, dice, SERVERS);
        for (unsigned i = 0; i < SERVERS; i++) {
            CHECK(i == 0 || mx[i - 1].preference <= mx[i].preference);
            seen |= 1u << (mx[i].host[0] - 'a');
        }
        CHECK_INT(seen, (1u << SERVERS) - 1);
        first[mx[0].host[0] - 'a']++;
    }
    CHECK(first[1] > 100 && first[2] > 100 && first[4] > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_sort) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
