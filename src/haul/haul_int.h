/* SPDX-License-Identifier: MIT
 * haul_int.h - one pass from the inside, shared by haul.c (sessions), visit.c (a folder), reidentify.c and recover.c.
 */
#ifndef MAILHAUL_HAUL_HAUL_INT_H
#define MAILHAUL_HAUL_HAUL_INT_H

#include "haul/haul.h"
#include "haul/intake_int.h"

enum { MAILHAUL_MARKER_SIZE = 33 };

struct items {
    struct fetch_item *v; /* owned */
    size_t count, cap;
};

struct pass {
    const struct haul_options *o;
    struct haul_result *r;
    struct committer committer;
    struct intake *intake;
    bool renewed; /* a UIDVALIDITY has changed */
    /* Of the current session. */
    struct source_folders folders;
    struct visit *visits;  /* owned; one for each folder */
    bool session_over;     /* the source said goodbye (POP3 after removals) */
    bool second_round;     /* of the folders: what failed in earlier passes */
    bool again;            /* another session is needed                     */
    bool careful;          /* one before it met a new UIDVALIDITY: nothing is removed */
    uint64_t budget;       /* messages that max_messages still allows */
    uint64_t chunk_octets; /* what a session that removes may fetch first   */
    /* Of the current folder. */
    struct listing listing;
    struct items fetch, retry, remove, skip;
};

void items_clear(struct items *i);
void items_release(struct items *i);
MUST_CHECK int items_add(struct items *i, const struct fetch_item *item, struct err *e);

/* One folder from its listing to its removals. */
MUST_CHECK int visit_folder(struct pass *p, struct visit *visit, struct err *e);
/* Destinations (recover.c). Those that are out, and those that read the spool: bit k stands for o->sinks[k]. */
uint32_t sinks_out(const struct haul_options *o);
uint32_t sinks_spooled(const struct haul_options *o);
/* As haul_open_sinks(); with `store`, a destination whose error is its own is out, and that is no error. */
MUST_CHECK int sinks_open(const struct haul_options *o, bool adopt, struct batch_store *store, struct err *e);
/* Those of `wanted` are asked whether they can take mail, once in a pass; those that cannot are out. */
MUST_CHECK int sinks_ready(struct pass *p, uint32_t wanted, struct err *e);
/* What the pass ends with when every destination is out: each was told. -1. */
int sinks_none_left(struct err *e);
bool sinks_is_none_left(const struct err *e);
/* UIDVALIDITY changed: messages that are here already are found again by their header blocks. The journal's rows are
 * moved to the new UIDs. */
MUST_CHECK int reidentify(struct pass *p, struct visit *visit, struct err *e);

#endif
