/* SPDX-License-Identifier: MIT
 * plan.h - listing x journal x policy -> what to do with a message. Pure: no I/O, no clock.
 */
#ifndef MAILHAUL_HAUL_PLAN_H
#define MAILHAUL_HAUL_PLAN_H

#include "store/journal.h"

struct plan_policy {
    int64_t now;       /* s since 1970                                                                  */
    int64_t leave_s;   /* how long a stored message stays on the server; negative: for ever, 0: not at all */
    uint64_t max_size; /* octets; 0: any                                                                */
};

enum plan_action {
    PLAN_NOTHING,
    PLAN_FETCH,
    PLAN_SKIP,   /* too large: record it as skipped     */
    PLAN_REMOVE, /* stored for long enough: take it off */
};

/* `row`: what the journal has of it, NULL: nothing. `octets`: as listed now. */
enum plan_action plan_message(const struct plan_policy *policy, const struct journal_message *row, uint64_t octets);

/* True when a folder whose server side has not changed has nothing due by itself: no retries, no removal by age, no
 * skipped message that now fits. */
bool plan_folder_quiet(const struct plan_policy *policy, const struct journal_folder *folder);

#endif
