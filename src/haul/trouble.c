/* SPDX-License-Identifier: MIT */
#include "haul/trouble.h"

enum trouble trouble_decide(const struct err *e, bool learned)
{
    if (e->scope == SCOPE_FOLDER)
        return TROUBLE_NEXT_FOLDER;
    return learned && e->retry == RETRY_RECONNECT ? TROUBLE_RECONNECT : TROUBLE_END;
}

bool trouble_note(struct err *worst, const struct err *e)
{
    /* First in the list decides. */
    static const int order[] = { 64, 78, 77, 69, 76, 74, 75 };
    int now = err_exit_status(worst->code), other = err_exit_status(e->code);
    bool worse = now == 0 || e->code == E_STOPPED;

    for (size_t i = 0; i < ARRAY_LEN(order) && !worse && order[i] != now; i++)
        worse = order[i] == other;
    if (worst->code == E_STOPPED)
        worse = false;
    if (worse)
        *worst = *e;
    return worse;
}

bool trouble_is_of_sink(const struct err *e)
{
    return e->code != E_DISK && e->code != E_NOMEM && e->code != E_STOPPED;
}

void verdict_add(struct verdict *v, enum outcome outcome)
{
    v->accepted += outcome == OUTCOME_ACCEPTED;
    v->rejected += outcome == OUTCOME_REJECTED;
    v->put_off += outcome == OUTCOME_PUT_OFF || outcome == OUTCOME_DOUBT;
}

bool verdict_holds(const struct verdict *v)
{
    return v->accepted == 0;
}

enum meaning verdict_meaning(const struct verdict *v, enum outcome outcome, unsigned tries)
{
    if (outcome == OUTCOME_UNFIT)
        return MEANS_ASIDE;
    if (outcome == OUTCOME_REJECTED)
        return v->accepted > 0 || v->rejected < VERDICT_ALL_REJECTED ? MEANS_ASIDE : MEANS_NOTHING;
    /* One that is never answered would arrive once more with every pass, for ever. */
    if (outcome == OUTCOME_DOUBT)
        return MEANS_TRY;
    /* A greylisting or full server puts everything off. A message that was singled out in an earlier pass, while others
     * were taken, is tried last, and may be the only one that is left. */
    return v->accepted > 0 || tries > 0 ? MEANS_TRY : MEANS_NOTHING;
}

int verdict_enough(const struct verdict *v, struct err *e)
{
    if (v->accepted > 0)
        return 0;
    if (v->rejected >= VERDICT_REJECTED_MAX)
        return verdict_end(v, e);
    if (v->put_off >= VERDICT_PUT_OFF_MAX) {
        err_set(e, E_BUSY, "it put off all of %" PRIu64 " messages; the rest is left for later", v->put_off);
        return err_retry(e, RETRY_LATER);
    }
    return 0;
}

int verdict_end(const struct verdict *v, struct err *e)
{
    if (v->accepted > 0 || v->rejected < VERDICT_ALL_REJECTED)
        return 0;
    err_set(e, E_REJECTED,
            "it refused all of %" PRIu64
            " messages for good, so nothing was set aside and everything stays on the server; see what it says, and "
            "its settings",
            v->rejected);
    return err_retry(e, RETRY_NEVER);
}
