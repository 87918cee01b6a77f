/* SPDX-License-Identifier: MIT
 * watch.h - what changes in directories, by inotify(7), as one descriptor for a loop that waits.
 *
 * A directory is watched by its name, not as the thing that has the name now: it may be missing, come, go and come
 * again, and the directories above it, too. (What is not noticed: one above it is renamed while it is there.) Told are
 * the names of files that were written and closed, moved in or out, linked, removed, or given another mode or owner;
 * not of those that are being written still.
 *
 * Calling sequence: watch_new(); watch_add() for each directory; wait until watch_fd() is readable; watch_read(), which
 * never waits; watch_free(). What happens from watch_add() on is told; so read the directory after it, not before.
 * Several things usually change at once: `struct settle` says when it has become quiet.
 *
 * Errors: E_NOMEM, also when the system has no more watches (fs.inotify.max_user_watches, max_user_instances); E_DISK
 * when inotify itself fails. Thread: one.
 */
#ifndef MAILHAUL_STORE_WATCH_H
#define MAILHAUL_STORE_WATCH_H

#include "base/err.h"

struct watch;

/* `id` is that of watch_add(). `name` NULL: anything in it may have changed - the directory came, went or was
 * exchanged, or too much happened at once. Must not call watch functions. */
typedef void watch_fn(void *ctx, unsigned id, const char *name);

MUST_CHECK int watch_new(watch_fn *changed, void *ctx, struct watch **out, struct err *e);
void watch_free(struct watch **w);
int watch_fd(const struct watch *w);
/* Ids are the caller's and may be shared. -1: it is not watched. */
MUST_CHECK int watch_add(struct watch *w, const char *directory, unsigned id, struct err *e);
/* Those of this id. */
void watch_remove(struct watch *w, unsigned id);
/* Tells all that has happened. -1: from now on some of it may be missed. */
MUST_CHECK int watch_read(struct watch *w, struct err *e);

/* Changes come in crowds: an editor writes three files, a script a hundred. They are acted upon when nothing has come
 * for SETTLE_QUIET_MS, and SETTLE_LATEST_MS after the first at the latest. Times are clock_mono_ms(). */
enum { SETTLE_QUIET_MS = 50, SETTLE_LATEST_MS = 1000 };
struct settle {
    bool pending;
    int64_t first_ms, last_ms;
};
void settle_note(struct settle *s, int64_t now_ms);
/* When to act; INT64_MAX: nothing is pending. */
int64_t settle_due(const struct settle *s);
/* True, once, when it is time. */
bool settle_take(struct settle *s, int64_t now_ms);

#endif
