/* SPDX-License-Identifier: MIT
 * committer.h - commits batches beside the session, so that flushing one batch and receiving the next happen at once.
 *
 * At most one batch is being committed at a time, and the journal belongs to the committer from committer_submit()
 * until committer_wait() returns: whoever wants to read or write the journal waits first. The thread starts with the
 * first committer_submit(); a pass that fits into one batch never has one.
 */
#ifndef MAILHAUL_HAUL_COMMITTER_H
#define MAILHAUL_HAUL_COMMITTER_H

#include <pthread.h>

#include "haul/batch.h"

struct committer {
    struct batch_store store;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct batch *work; /* handed over, not finished */
    bool started, quit;
    int64_t took_ms; /* the last batch, of took_count messages; 0 of them: none yet */
    size_t took_count;
    bool failed; /* sticky */
    struct err err;
};

void committer_init(struct committer *c, const struct batch_store *store);
/* Ends the thread; batches that were not committed are dropped, scratch files and all. */
void committer_release(struct committer *c);
/* True when a batch could be handed over without waiting. */
bool committer_idle(struct committer *c);
/* How many messages the next batch should hold at most, `most` or fewer: while one is being committed the source may
 * have to wait, and must not for so long that its server gives it up. */
size_t committer_room(struct committer *c, size_t most);
/* Hands `b` over (whatever it returns), after waiting for the one before. An error of the one before comes out here. */
MUST_CHECK int committer_submit(struct committer *c, struct batch *b, struct err *e);
/* Waits until nothing is being committed. */
MUST_CHECK int committer_wait(struct committer *c, struct err *e);
/* Waits, then commits `b` (NULL: nothing) in this thread and records everything. */
MUST_CHECK int committer_finish(struct committer *c, struct batch *b, struct err *e);

#endif
