/* SPDX-License-Identifier: MIT
 * lock.h - one pass for one account at a time. flock() on STATE/ACCOUNT.lock, taken before any state is read; the
 * kernel lets it go when the process ends, however it ends, so it is never stale.
 *
 * The lock file also remembers whether a pass that made scratch files ended tidily: lock_mark_busy() before the first
 * one, lock_mark_clean() at the end; lock_was_busy() tells the next pass to sweep. (Without fsync: after a power cut
 * maildir_sweep() at a folder's first use does the same.)
 */
#ifndef MAILHAUL_STORE_LOCK_H
#define MAILHAUL_STORE_LOCK_H

#include "base/err.h"

struct lock {
    int fd; /* -1: not held */
    bool was_busy, busy;
};
#define LOCK_INIT ((struct lock){ .fd = -1 })

/* `dirfd`, `name`: where the lock file is, made with mode 0600. `read_only`: nothing is made or written; a missing
 * file means that nobody holds it, and 0 is returned with fd -1. E_LOCKED at once when another process or thread
 * holds it, with its process id in the text where known. */
MUST_CHECK int lock_take(struct lock *l, int dirfd, const char *name, bool read_only, struct err *e);
void lock_release(struct lock *l);
bool lock_was_busy(const struct lock *l);
void lock_mark_busy(struct lock *l);
void lock_mark_clean(struct lock *l);

#endif
