/* SPDX-License-Identifier: MIT */
#include "haul/sink.h"

#include "base/log.h"

enum { WHY_MAX = ERR_TEXT_MAX + ERR_PEER_MAX };

void sink_slot_why(struct sink_slot *slot, const char *words)
{
    char printable[WHY_MAX], *copy;

    log_printable(printable, sizeof(printable), slice_str(words));
    copy = strdup(printable);
    if (copy == NULL)
        return;
    free(slot->why);
    slot->why = copy;
}

bool sink_slot_has(const struct sink_slot *slot, struct slice recipient)
{
    struct slice left = buf_slice(&slot->done);

    while (left.n > 0) {
        size_t n = strnlen(left.p, left.n);

        if (slice_eq(slice_make(left.p, n), recipient))
            return true;
        left = slice_from(left, size_min(n + 1, left.n));
    }
    return false;
}
