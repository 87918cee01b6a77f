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
