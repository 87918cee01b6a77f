/* SPDX-License-Identifier: MIT
 * places.h - where a configuration lies: the main file, accounts.d beside it, and whatever either leads to by symbolic
 * links, so that a save is noticed wherever it is made.
 *
 * Each place is a directory with the names in it that count. A link is followed by its last component, from link to
 * link; a directory on the way that is a link itself counts as what it leads to.
 *
 * Calling sequence: places_watch(), again after each change (a link may lead elsewhere by then); places_has() for what
 * the watch tells; places_release().
 * Thread: one.
 */
#ifndef MAILHAUL_DAEMON_PLACES_H
#define MAILHAUL_DAEMON_PLACES_H

#include "store/watch.h"

struct place {
    char *directory; /* owned, with the slash at its end */
    char **names;    /* owned, each too */
    size_t count, cap;
    bool accounts; /* accounts.d: every *.conf counts */
};

struct places {
    struct place *v; /* owned; the index is the watch's id */
    size_t count, cap;
};

/* `w` watches the places of the configuration `path`, and none of those of before. */
MUST_CHECK int places_watch(struct places *p, struct watch *w, const char *path, struct err *e);
/* Whether what watch_fn was told is about the configuration. */
bool places_has(const struct places *p, unsigned id, const char *name);
void places_release(struct places *p);

#endif
