/* SPDX-License-Identifier: MIT
 * haul.h - the heart: one pass over one account. Mail goes from its source to all of its sinks under one invariant:
 * durable before recorded, recorded before removed.
 *
 *     plan -> bodies stream to scratch names while the network keeps flowing -> STAGED rows committed together with the
 *     batch before's DELIVERED -> [prepare: fsync of the batch, before that commit] -> commit: rename, fsync of
 *     directories -> DELIVERED -> removal from the server -> its confirmation -> rows deleted
 *
 * The caller makes source, sinks, spool, lock and journal, and owns them; haul_pass() opens and closes source and
 * sinks. With `keep_open` a source that can wait (source.h) is left logged in unless its session broke, and one that is
 * logged in already is gone on with.
 * Thread: everything in one call belongs to the calling thread; a second one commits batches meanwhile and has ended
 * when haul_pass() returns. The counters of struct haul_progress may be read by others at any time.
 */
#ifndef MAILHAUL_HAUL_HAUL_H
#define MAILHAUL_HAUL_HAUL_H

#include <stdatomic.h>

#include "haul/plan.h"
#include "haul/sink.h"
#include "haul/source.h"
#include "store/journal.h"
#include "store/lock.h"
#include "store/spool.h"

enum { HAUL_TRIES = 3 /* passes in which a message is tried before it is set aside */ };

struct haul_progress {
    _Atomic uint64_t wanted_messages, wanted_bytes; /* planned so far  */
    _Atomic uint64_t messages, bytes;               /* fetched so far  */
    _Atomic int phase;                              /* enum haul_phase */
};
enum haul_phase { HAUL_WAITING, HAUL_CONNECTING, HAUL_LISTING, HAUL_FETCHING, HAUL_REMOVING, HAUL_FINISHED };

/* One message that has arrived for good, for the observer. Borrowed for the call. */
struct haul_delivered {
    struct slice folder;
    uint32_t uid;
    struct slice uidl;
    uint64_t octets;
    const char *sink; /* the deliver section's name */
    const char *name; /* what it is called there     */
    const char *path; /* of the file; NULL: it is none */
};

struct haul_observer {
    void *ctx;
    /* May be NULL. From either thread, never two at a time. */
    void (*delivered)(void *ctx, const struct haul_delivered *d);
};

struct haul_options {
    struct source *source;
    struct sink *const *sinks;
    size_t sink_count;   /* <= SINK_MAX */
    struct spool *spool; /* for sinks that read whole messages; NULL when no sink does */
    struct journal *journal;
    struct lock *lock;
    const char *account;        /* its name, in front of what the second thread logs; may be NULL */
    const char *const *folders; /* patterns */
    size_t folder_count;
    struct plan_policy policy;
    unsigned max_messages; /* 0: no limit */
    size_t batch_messages; /* messages whose files may be open at once: up to two batches' worth are */
    bool dry_run;
    bool keep_open;
    bool list_all; /* scan tells every folder, not only what is needed (`folders` command) */
    struct haul_progress *progress;
    struct haul_observer observer;
};

struct haul_result {
    uint64_t folders; /* looked at                                  */
    uint64_t messages, bytes;
    uint64_t removed, marked;
    uint64_t skipped;                                      /* newly, over max_size                       */
    uint64_t failed;                                       /* could not be had, will be tried again      */
    uint64_t quarantined;                                  /* set aside in this pass                     */
    uint64_t known_again;                                  /* recognised after UIDVALIDITY changed       */
    uint64_t would_fetch, would_fetch_bytes, would_remove; /* dry run   */
    struct err err;                                        /* the one that decides the exit status; E_NONE */
    bool err_told;                                         /* it was logged when it happened */
};

/* Always fills *out, also when it returns -1 (then out->err tells why). */
int haul_pass(const struct haul_options *options, struct haul_result *out);

/* Destinations: rows, markers, and what the last pass left STAGED. Called by haul_pass(); on its own by `check
 * --adopt`. */
MUST_CHECK int haul_open_sinks(const struct haul_options *options, bool adopt, struct err *e);
/* `name` is one of the account's `folders`. -1 with E_NOFOLDER when it stands for one folder (no pattern, exclusion or
 * special use) and that one is not among `folders`. */
MUST_CHECK int haul_folder_there(const char *name, const struct source_folders *folders, struct err *e);
/* Source opened and folders told: `folders` command and `check --connect`. The caller closes the source. `selected`
 * may be NULL. */
MUST_CHECK int haul_scan(const struct haul_options *options, struct source_folders *out, struct err *e);

#endif
