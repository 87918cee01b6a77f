/* SPDX-License-Identifier: MIT
 * outcome.h - what became of a batch's messages: recorded as it happens, counted when a destination is through with the
 * batch, and written with the batch's own transaction; refusals only when it is clear what they mean (trouble.h).
 *
 * Called by batch.c alone; thread: as in batch.h.
 */
#ifndef MAILHAUL_HAUL_OUTCOME_H
#define MAILHAUL_HAUL_OUTCOME_H

#include "haul/batch.h"

/* What stands behind a destination's struct sink_record during one commit. */
struct recorder {
    struct batch_store *store;
    const struct batch *batch;
    size_t sink;
    struct verdict verdict; /* with what was recorded in this commit */
    bool failed;            /* the journal did; `err` says why */
    struct err err;
};
int outcome_record(void *recorder, struct sink_slot *slot, struct err *e);

/* Behind a commit: what it means for the destination, and what has to be said of messages in doubt. */
void outcome_count(struct batch_store *s, const struct batch *b, size_t sink);

/* In a transaction: the deliveries of one message; its refusals are held. */
MUST_CHECK int outcome_write(struct batch_store *s, struct batch_item *item, int64_t now, struct err *e);
/* In a transaction: the refusals whose meaning is clear, at the end of the pass all. */
MUST_CHECK int outcome_resolve(struct batch_store *s, bool at_end, int64_t now, struct err *e);
bool outcome_is_held(const struct batch_store *s);

#endif
