/* SPDX-License-Identifier: MIT */
#include "haul/plan.h"

static bool too_large(const struct plan_policy *policy, uint64_t octets)
{
    return policy->max_size != 0 && octets > policy->max_size;
}

static bool due(const struct plan_policy *policy, int64_t stored_at)
{
    return policy->leave_s == 0 || (policy->leave_s > 0 && policy->now - stored_at >= policy->leave_s);
}

enum plan_action plan_message(const struct plan_policy *policy, const struct journal_message *row, uint64_t octets)
{
    if (row == NULL)
        return too_large(policy, octets) ? PLAN_SKIP : PLAN_FETCH;
    switch (row->state) {
    case MESSAGE_PENDING:
        return too_large(policy, octets) ? PLAN_SKIP : PLAN_FETCH;
    case MESSAGE_SKIPPED:
        return too_large(policy, octets) ? PLAN_NOTHING : PLAN_FETCH;
    case MESSAGE_STORED:
        return due(policy, row->stored_at) ? PLAN_REMOVE : PLAN_NOTHING;
    case MESSAGE_REMOVING:
    case MESSAGE_QUARANTINED:
    case MESSAGE_DROPPED:
        break;
    }
    return PLAN_NOTHING;
}

bool plan_folder_quiet(const struct plan_policy *policy, const struct journal_folder *folder)
{
    if (!folder->settled)
        return false;
    if (folder->oldest_kept != 0 && due(policy, folder->oldest_kept))
        return false;
    return folder->smallest_skipped == 0 || too_large(policy, folder->smallest_skipped);
}
