/* SPDX-License-Identifier: MIT
 * sink.h - where mail goes: a destination of an account, as the heart sees it.
 *
 * A message streams into every sink at once: begin, write..., finish (or abort). finish() leaves it in a slot:
 * complete, but without effect yet. Later, a batch of slots at a time, and perhaps in another thread while the next
 * batch streams in:
 *
 *     prepare    what the effect needs is made durable (Maildir: fsync of each scratch file)
 *     [the journal's STAGED rows, with slot->name, are made durable]
 *     commit     the effect, durable when it returns (Maildir: rename, fsync of the directories); sets slot->state
 *
 * so that after a crash each STAGED name can be looked up by recover(). discard() lets go of a slot whatever became of
 * it.
 *
 * Errors of begin, write and finish are for this pass as a whole (E_DISK); prepare and commit as well. A destination
 * that refuses a single message says so in slot->state: DELIVERY_REJECTED sets the message aside, DELIVERY_WANTED has
 * it tried again in later passes.
 * Ownership: made by its own constructor, freed by ops->free. Thread: begin/write/finish/abort in the session's;
 * prepare/commit/discard in one other at a time; open, recover and close while nothing else runs.
 */
#ifndef MAILHAUL_HAUL_SINK_H
#define MAILHAUL_HAUL_SINK_H

#include "base/buf.h"
#include "base/err.h"
#include "store/journal.h"

enum { SINK_NAME_MAX = 160, SINK_MAX = 16 /* destinations of one account */ };

struct sink_slot {
    enum delivery_state state;
    char name[SINK_NAME_MAX]; /* what STAGED records: the final base name, or what identifies it there */
    void *own;                /* the sink's own data of this message */
};

struct sink_message {
    struct slice folder; /* program form */
    char delimiter;
    unsigned flags;  /* enum mail_flag; known at finish */
    int64_t date;    /* INTERNALDATE; 0: unknown        */
    uint64_t octets; /* in wire form                    */
};

struct sink;
struct sink_ops {
    const char *type; /* "maildir" */
    MUST_CHECK int (*describe)(const struct sink *s, struct buf *out);
    /* Is it there, and is it the one it was? `tag` names scratch files. `known` is its row; a marker that was made or
     * found goes to marker_out (33 bytes, "" for none). With read_only nothing is made; with adopt any marker is taken.
     */
    MUST_CHECK int (*open)(struct sink *s, const char *tag, const struct journal_sink *known, bool read_only,
                           bool adopt, char *marker_out, struct err *e);
    /* Whether what STAGED recorded under this name took effect: DELIVERED, WANTED (it did not) or IN_DOUBT. */
    MUST_CHECK int (*recover)(struct sink *s, struct slice folder, char delimiter, const char *name,
                              enum delivery_state *state_out, struct err *e);
    /* Removes what a broken pass left. */
    MUST_CHECK int (*sweep)(struct sink *s, struct err *e);
    MUST_CHECK int (*begin)(struct sink *s, const struct sink_message *m, struct err *e);
    MUST_CHECK int (*write)(struct sink *s, struct slice lf_bytes, struct err *e);
    MUST_CHECK int (*finish)(struct sink *s, const struct sink_message *m, struct sink_slot *slot, struct err *e);
    void (*abort)(struct sink *s);
    MUST_CHECK int (*prepare)(struct sink *s, struct sink_slot *const *slots, size_t count, struct err *e);
    MUST_CHECK int (*commit)(struct sink *s, struct sink_slot *const *slots, size_t count, struct err *e);
    void (*discard)(struct sink *s, struct sink_slot *slot);
    void (*close)(struct sink *s);
    void (*free)(struct sink *s);
};

struct sink {
    const struct sink_ops *ops;
    const char *name; /* borrowed: the deliver section's */
    int64_t row;      /* of the journal, set by the heart */
};

#endif
