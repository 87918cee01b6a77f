/* SPDX-License-Identifier: MIT */
#include "haul/plan.h"

#include "../unit.h"

enum { NOW = 1700000000, DAY = 24 * 3600 };

static void test_message(void **state)
{
    static const struct {
        const char *name;
        bool known;
        enum message_state is;
        int64_t stored_at, leave_s;
        uint64_t max_size, octets;
        enum plan_action want;
    } cases[] = {
        { "new", false, 0, 0, -1, 0, 10, PLAN_FETCH },
        { "new, to be removed later", false, 0, 0, 0, 0, 10, PLAN_FETCH },
        { "new, as large as may be", false, 0, 0, -1, 10, 10, PLAN_FETCH },
        { "new, too large", false, 0, 0, -1, 9, 10, PLAN_SKIP },
        { "new, size not told", false, 0, 0, -1, 9, 0, PLAN_FETCH },
        { "tried before", true, MESSAGE_PENDING, 0, -1, 0, 10, PLAN_FETCH },
        { "tried before, too large by now", true, MESSAGE_PENDING, 0, -1, 9, 10, PLAN_SKIP },
        { "skipped, still too large", true, MESSAGE_SKIPPED, 0, -1, 9, 10, PLAN_NOTHING },
        { "skipped, is never removed", true, MESSAGE_SKIPPED, 0, 0, 9, 10, PLAN_NOTHING },
        { "skipped, fits now", true, MESSAGE_SKIPPED, 0, -1, 10, 10, PLAN_FETCH },
        { "skipped, no limit any more", true, MESSAGE_SKIPPED, 0, -1, 0, 10, PLAN_FETCH },
        { "stored, kept", true, MESSAGE_STORED, 1, -1, 0, 10, PLAN_NOTHING },
        { "stored, not kept", true, MESSAGE_STORED, NOW, 0, 0, 10, PLAN_REMOVE },
        { "stored, not kept, clock went back", true, MESSAGE_STORED, NOW + DAY, 0, 0, 10, PLAN_REMOVE },
        { "stored, old enough to the second", true, MESSAGE_STORED, NOW - DAY, DAY, 0, 10, PLAN_REMOVE },
        { "stored, a second too young", true, MESSAGE_STORED, NOW - DAY + 1, DAY, 0, 10, PLAN_NOTHING },
        { "stored, in the future", true, MESSAGE_STORED, NOW + DAY, DAY, 0, 10, PLAN_NOTHING },
        { "stored, too large by now", true, MESSAGE_STORED, NOW, 0, 9, 10, PLAN_REMOVE },
        { "marked already", true, MESSAGE_REMOVING, 1, 0, 0, 10, PLAN_NOTHING },
        { "set aside", true, MESSAGE_QUARANTINED, 0, 0, 0, 10, PLAN_NOTHING },
        { "given up", true, MESSAGE_DROPPED, 0, 0, 0, 10, PLAN_NOTHING },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct plan_policy policy = { .now = NOW, .leave_s = cases[i].leave_s, .max_size = cases[i].max_size };
        struct journal_message row = { .id = 1, .state = cases[i].is, .stored_at = cases[i].stored_at };

        CASE("%s", cases[i].name);
        CHECK_INT(plan_message(&policy, cases[i].known ? &row : NULL, cases[i].octets), cases[i].want);
    }
}

static void test_folder_quiet(void **state)
{
    static const struct {
        const char *name;
        bool settled;
        int64_t oldest_kept;
        uint64_t smallest_skipped;
        int64_t leave_s;
        uint64_t max_size;
        bool want;
    } cases[] = {
        { "all done", true, 0, 0, -1, 0, true },
        { "something is left to do", false, 0, 0, -1, 0, false },
        { "kept for ever", true, 1, 0, -1, 0, true },
        { "kept, and no longer wanted there", true, NOW, 0, 0, 0, false },
        { "oldest is due", true, NOW - DAY, 0, DAY, 0, false },
        { "oldest is not due", true, NOW - DAY + 1, 0, DAY, 0, true },
        { "skipped, still too large", true, 0, 10, -1, 9, true },
        { "skipped, fits now", true, 0, 10, -1, 10, false },
        { "skipped, no limit any more", true, 0, 10, -1, 0, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct plan_policy policy = { .now = NOW, .leave_s = cases[i].leave_s, .max_size = cases[i].max_size };
        struct journal_folder folder = { .settled = cases[i].settled,
                                         .oldest_kept = cases[i].oldest_kept,
                                         .smallest_skipped = cases[i].smallest_skipped };

        CASE("%s", cases[i].name);
        CHECK_INT(plan_folder_quiet(&policy, &folder), cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message),
        cmocka_unit_test(test_folder_quiet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
