/* SPDX-License-Identifier: MIT
 * batch.h - messages on their way from "whole in tmp/" to "delivered and recorded", a batch at a time.
 *
 * batch_commit() is the invariant in code. For batch n, in this order:
 *     1. every sink prepares (fsync of the scratch files)
 *     2. one durable transaction: DELIVERED of batch n-1, its folders' new state, STAGED of batch n, failures of batch
 *     n
 *     3. every sink commits (rename without replacing, fsync of the directories)
 * and batch_record() writes the last batch's DELIVERED alone when no other follows.
 *
 * Thread: one at a time; see committer.h.
 */
#ifndef MAILHAUL_HAUL_BATCH_H
#define MAILHAUL_HAUL_BATCH_H

#include "haul/haul.h"

/* A folder during a pass. Lives until the pass ends. */
struct visit {
    const struct source_folder *folder; /* borrowed */
    struct journal_folder known;        /* the journal's row; id 0 until the first batch with a message of it */
    bool unsettled;                     /* the committer's: a destination put a message of it off */
    bool retries;                       /* messages that failed in earlier passes wait for the second round */
};

struct batch_item {
    struct visit *visit;
    struct journal_message m; /* its slices point into `bytes` */
    char *bytes;              /* owned */
    bool gone;                /* no body either: the server does not have it any more, the row goes */
    bool row_only;            /* no body: a failure or a message over max_size */
    unsigned tries;           /* passes in which it failed before this one */
    struct sink_slot *slots;  /* owned; one for each sink; own == NULL: not for that sink */
};

struct batch {
    struct batch_item *items; /* owned */
    size_t count, cap;
    uint64_t octets;
    int64_t since_ms; /* when its first item came */
    /* Folders that are dealt with once this batch is delivered. */
    struct {
        struct visit *visit;
        struct journal_folder state;
    } * closed; /* owned */
    size_t closed_count, closed_cap;
};

struct batch *batch_new(void);
void batch_free(struct batch **b, struct sink *const *sinks, size_t sink_count);
/* A fresh item at the end, its row's slices copied; NULL: no memory. */
struct batch_item *batch_add(struct batch *b, const struct journal_message *m, size_t sink_count);
MUST_CHECK int batch_close_folder(struct batch *b, struct visit *visit, const struct journal_folder *state);

/* Where batches go. */
struct batch_store {
    struct journal *journal;
    struct sink *const *sinks;
    size_t sink_count;
    const struct haul_observer *observer;
    struct batch *unrecorded; /* delivered, DELIVERED not written yet */
    int64_t *failed;          /* owned; rows of messages that failed in this pass: they are not tried again in it */
    size_t failed_count, failed_cap;
    uint64_t put_off, rejected; /* messages that a destination would not take: to be tried again, set aside */
};

/* Takes `b` over, whatever it returns. */
MUST_CHECK int batch_commit(struct batch_store *s, struct batch *b, struct err *e);
/* Writes what is unrecorded. */
MUST_CHECK int batch_record(struct batch_store *s, struct err *e);

#endif
