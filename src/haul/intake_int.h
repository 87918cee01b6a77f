/* SPDX-License-Identifier: MIT
 * intake_int.h - the inside of the intake, for the heart.
 *
 * Calling sequence: intake_new(); for each fetch(): intake_expect(); at the end intake_finish(); intake_free().
 */
#ifndef MAILHAUL_HAUL_INTAKE_INT_H
#define MAILHAUL_HAUL_INTAKE_INT_H

#include "haul/committer.h"
#include "haul/intake.h"
#include "net/digest.h"
#include "wire/eol.h"
#include "wire/header.h"

struct intake {
    const struct haul_options *options; /* borrowed */
    struct haul_result *result;         /* borrowed: counts */
    struct committer *committer;        /* borrowed */
    struct batch *batch;                /* the one that fills; NULL: none yet */
    /* What is expected. */
    struct visit *visit;
    const struct listing *listing;
    const struct fetch_item *items;
    size_t item_count;
    bool *done; /* owned; one for each item */
    size_t done_cap;
    uint32_t wanted; /* by some item; bit k: sinks[k] */
    /* The message that streams in. */
    bool open, spooling;
    uint32_t begun; /* bit k: sinks[k] streams it in */
    uint64_t octets;
    struct header_scan header;
    struct digest digest;
    struct eol eol;
    char *out; /* owned */
    size_t out_len;
};

struct intake *intake_new(const struct haul_options *options, struct committer *committer, struct haul_result *result,
                          struct err *e);
void intake_free(struct intake **in);
/* The next fetch() brings these. Everything is borrowed until it returned. */
MUST_CHECK int intake_expect(struct intake *in, struct visit *visit, const struct listing *listing,
                             const struct fetch_item *items, size_t count, struct err *e);
/* Whether every destination can take messages of this folder, while the server sends none yet: a folder whose name no
 * file system holds (SCOPE_FOLDER) is found out here, and the session stays usable for the others. */
MUST_CHECK int intake_try(struct intake *in, struct err *e);
/* The first item that neither arrived nor failed; NULL: all did. */
const struct fetch_item *intake_first_missing(const struct intake *in);
bool intake_is_done(const struct intake *in, size_t index);
/* A row for a message without a body: too large. */
MUST_CHECK int intake_skip(struct intake *in, struct visit *visit, const struct listing *listing,
                           const struct fetch_item *item, struct err *e);
/* The folder gets this state once everything in it so far is delivered. */
MUST_CHECK int intake_close_folder(struct intake *in, struct visit *visit, const struct journal_folder *state,
                                   struct err *e);
/* Everything so far becomes durable and recorded. */
MUST_CHECK int intake_finish(struct intake *in, struct err *e);

#endif
