/* SPDX-License-Identifier: MIT
 * batch.h - messages on their way from "whole" to "delivered and recorded", a batch at a time.
 *
 * batch_commit() is the invariant in code. For batch n, in this order:
 *     1. every sink prepares (Maildir: fsync of the scratch files)
 *     2. one durable transaction: DELIVERED of batch n-1, its folders' new state, STAGED of batch n, failures of batch
 *     n
 *     3. every sink commits (Maildir: rename without replacing, fsync of the directories; a mail server: hands over,
 *        recording each answer as it is read)
 * and batch_record() writes the last batch's DELIVERED alone when no other follows. What a refusal means is decided
 * when it is known (outcome.h); batch_end() decides what is still open at the end of the pass.
 *
 * When a destination elsewhere is interrupted by the wish to stop, the batch still goes into the Maildirs and is
 * recorded; then the pass ends.
 *
 * A destination whose error is its own is out for the rest of the pass: told, noted in `err`, asked for nothing more;
 * the others go on. Every other error ends the pass.
 *
 * Thread: one at a time; see committer.h.
 */
#ifndef MAILHAUL_HAUL_BATCH_H
#define MAILHAUL_HAUL_BATCH_H

#include "haul/haul.h"
#include "haul/trouble.h"

/* A folder during a pass. Lives until the session ends. */
struct visit {
    const struct source_folder *folder; /* borrowed */
    struct journal_folder known;        /* the journal's row; id 0 until the first batch with a message of it */
    bool unsettled;                     /* the committer's: some destination misses a message of it */
    bool withheld;                      /* the session's: the same, of messages that came and were dropped */
    bool retries;                       /* messages that failed in earlier passes wait for the second round */
    uint32_t barred;                    /* the session's; bit k: sinks[k] cannot hold this folder, which was told */
};

struct batch_item {
    struct visit *visit;
    struct journal_message m; /* its slices point into `bytes` */
    char *bytes;              /* owned */
    bool gone;                /* no body either: the server does not have it any more, the row goes */
    bool row_only;            /* no body: a failure or a message over max_size */
    unsigned tries;           /* passes in which it failed before this one */
    struct sink_slot *slots;  /* owned; one for each sink; own == NULL: not for that sink */
    uint32_t staged;          /* bit k: for sinks[k], when the batch was staged */
    bool open;                /* delivered, and some destination is without it */
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

struct row_list {
    int64_t *v; /* owned */
    size_t count, cap;
};
MUST_CHECK int row_list_add(struct row_list *l, int64_t row, struct err *e);
bool row_list_has(const struct row_list *l, int64_t row);

/* A destination would not have this message, and what that means waits for the verdict. */
struct refusal {
    int64_t message;
    unsigned tries; /* passes in which it failed before */
    enum outcome outcome;
    char *folder, *why; /* owned */
};

/* One destination in a pass. */
struct destination {
    struct verdict verdict;
    struct refusal *held; /* owned */
    size_t held_count, held_cap;
    char words[ERR_PEER_MAX]; /* its last refusal; "" */
    bool ready;               /* ops->ready was called */
    bool judged;              /* out because of its verdict, which was told */
};

/* Where batches go. */
struct batch_store {
    struct journal *journal;
    struct sink *const *sinks;
    size_t sink_count;
    const struct haul_observer *observer;
    const char *account;        /* for the log; may be NULL */
    struct batch *unrecorded;   /* delivered, DELIVERED not written yet */
    struct row_list failed;     /* messages that failed in this pass: they are not asked for again in it */
    struct row_list tried;      /* those of them that had a try counted for it */
    struct row_list aside;      /* those that are out of the way: set aside, or dropped */
    uint64_t put_off, rejected; /* messages that a destination would not take: to be tried again, set aside */
    struct destination destinations[SINK_MAX];
    struct err err; /* of the destinations that are out: the one that decides the exit status; told */
};

void batch_store_release(struct batch_store *s);
/* Takes `b` over, whatever it returns. */
MUST_CHECK int batch_commit(struct batch_store *s, struct batch *b, struct err *e);
/* Writes what is unrecorded. */
MUST_CHECK int batch_record(struct batch_store *s, struct err *e);
/* The pass is over: what its refusals mean is decided and written. */
MUST_CHECK int batch_end(struct batch_store *s, struct err *e);
/* sinks[k] is out for the rest of the pass: says so, and notes it in `err`. */
void batch_put_out(struct batch_store *s, size_t k, const struct err *why);
/* Every destination is out. */
bool batch_nobody_left(struct sink *const *sinks, size_t sink_count);

#endif
