/* SPDX-License-Identifier: MIT
 * sink.h - where mail goes: a destination of an account, as the heart sees it.
 *
 * There are two kinds. A Maildir takes the bytes as they stream in: begin, write..., finish (or abort). All others
 * (`write` is NULL) take the whole message from the spool (store/spool.h) at finish, with m->file; one spool file is
 * read by all of them. finish() leaves the message in a slot: complete, but without effect yet. Later, a batch of
 * slots at a time, and perhaps in another thread while the next batch streams in:
 *
 *     prepare    what the effect needs is made ready and durable (Maildir: fsync of each scratch file; IMAP: the folder
 *                is there, and slot->name says where its UIDs stood)
 *     [the journal's STAGED rows, with slot->name, are made durable]
 *     commit     the effect; sets slot->state of every slot, also when it returns -1
 *
 * discard() lets go of a slot whatever became of it: right behind commit, so that files do not stay open.
 *
 * What commit leaves in slot->state:
 *     DELIVERED   for good. slot->name may have changed to what it is called there (APPENDUID).
 *     REJECTED    this message will never be taken (5xx); slot->why has the destination's words; with slot->by_us it
 *                 was not offered at all (no recipient, too large), and slot->why has ours
 *     WANTED      with slot->why: put off (4xx); without: it was not its turn
 *     IN_DOUBT    it was handed over whole and the answer was never read; slot->why
 * What that means for the message, the destination and the pass is decided in trouble.h alone.
 *
 * A destination outside this machine's disk says how far it is as it goes, through struct sink_record: IN_DOUBT before
 * the last byte that makes the other side responsible, the outcome as soon as it is known, for each recipient where
 * there are several. So a killed program leaves no more in doubt than was on its way.
 *
 * Errors: E_DISK, E_NOMEM and E_STOPPED end the pass. Any other from open, ready, prepare or commit is about this
 * destination: it is out for the rest of the pass, and the others go on. SCOPE_FOLDER from begin or finish: this
 * folder cannot be delivered there.
 * Ownership: made by its own constructor, freed by ops->free. Thread: begin/write/finish/abort in the session's;
 * prepare/commit/discard in one other at a time; open, ready, recover, check and close while nothing else runs.
 */
#ifndef MAILHAUL_HAUL_SINK_H
#define MAILHAUL_HAUL_SINK_H

#include "base/buf.h"
#include "base/err.h"
#include "store/journal.h"
#include "store/spool.h"

enum { SINK_NAME_MAX = 160, SINK_MAX = 16 /* destinations of one account */ };

struct sink_slot {
    enum delivery_state state;
    char name[SINK_NAME_MAX]; /* what STAGED records: the final base name, or what identifies it there */
    void *own;                /* the sink's own data of this message; NULL: the message is not for this sink */
    char *why;                /* owned, freed by the heart: printable words, or NULL */
    char *path;               /* the same: with DELIVERED, of the file that it has become; NULL: none is told */
    bool by_us;               /* with REJECTED: the destination was not asked */
    /* Set by the heart before commit. */
    int64_t message; /* the journal's row */
    bool doubtful;   /* an earlier hand-over was never answered; `name` is what was recorded then */
    unsigned tries;  /* passes in which it failed before */
    /* The heart's own. */
    bool told;    /* that it may arrive twice was logged          */
    size_t known; /* bytes of `done` that came from the journal */
    /* Recipients that have it, each followed by a NUL: from the journal before commit, which appends to it. */
    struct buf done;
};
enum { SINK_DONE_MAX = 512 * 1024 };
/* Keeps `words` as slot->why (printable; what was there is freed). Without memory it stays as it was. */
void sink_slot_why(struct sink_slot *slot, const char *words);
/* `recipient` is in slot->done. */
bool sink_slot_has(const struct sink_slot *slot, struct slice recipient);

struct sink_message {
    struct slice folder; /* program form */
    char delimiter;
    unsigned flags;          /* enum mail_flag; known at finish */
    int64_t date;            /* INTERNALDATE; 0: unknown        */
    uint64_t octets;         /* in wire form                    */
    struct spool_file *file; /* at finish, for sinks that read the spool; spool_keep() it */
};

/* Writes slot->state, name and recipients (done) to the journal now: it survives the end of the program, though not a
 * power cut before the batch's own commit. Called for every step and outcome, also for REJECTED and put off: -1 is the
 * heart's word that this commit ends here, to be returned from it unchanged (E_DISK; E_REJECTED: enough was refused).
 * What is on its way by then may still be answered and set in its slot. Not from two threads at a time. */
struct sink_record {
    void *ctx;
    int (*write)(void *ctx, struct sink_slot *slot, struct err *e);
};

/* What a destination says of itself for `check --connect`, a line each. */
typedef void sink_tell_fn(void *ctx, const char *line);

struct sink;
struct sink_ops {
    const char *type; /* "maildir", "smtp", "lmtp", "imap", "command" */
    MUST_CHECK int (*describe)(const struct sink *s, struct buf *out);
    /* Is it there, and is it the one it was? `tag` names scratch files. `known` is its row; a marker that was made or
     * found goes to marker_out (33 bytes, "" for none). With read_only nothing is made; with adopt any marker is taken.
     * Nobody is contacted. */
    MUST_CHECK int (*open)(struct sink *s, const char *tag, const struct journal_sink *known, bool read_only,
                           bool adopt, char *marker_out, struct err *e);
    /* Can it take mail now? Connects and logs in. Called once in a pass, before the first body is asked for. NULL:
     * always. */
    MUST_CHECK int (*ready)(struct sink *s, struct err *e);
    /* `check --connect`: as ready, and whether it would take a message, without sending any; then closed. NULL:
     * nothing to check. */
    MUST_CHECK int (*check)(struct sink *s, sink_tell_fn *tell, void *ctx, struct err *e);
    /* Whether what STAGED recorded under this name took effect: DELIVERED, WANTED (it did not) or IN_DOUBT. NULL: as
     * `staged_means`. */
    MUST_CHECK int (*recover)(struct sink *s, struct slice folder, char delimiter, const char *name,
                              enum delivery_state *state_out, struct err *e);
    enum delivery_state staged_means;
    /* Removes what a broken pass left. NULL: nothing. */
    MUST_CHECK int (*sweep)(struct sink *s, struct err *e);
    /* NULL, all three, for a sink that reads the spool. */
    MUST_CHECK int (*begin)(struct sink *s, const struct sink_message *m, struct err *e);
    MUST_CHECK int (*write)(struct sink *s, struct slice lf_bytes, struct err *e);
    void (*abort)(struct sink *s);
    MUST_CHECK int (*finish)(struct sink *s, const struct sink_message *m, struct sink_slot *slot, struct err *e);
    /* NULL: nothing to do. */
    MUST_CHECK int (*prepare)(struct sink *s, struct sink_slot *const *slots, size_t count, struct err *e);
    MUST_CHECK int (*commit)(struct sink *s, struct sink_slot *const *slots, size_t count,
                             const struct sink_record *record, struct err *e);
    void (*discard)(struct sink *s, struct sink_slot *slot);
    void (*close)(struct sink *s);
    void (*free)(struct sink *s);
};

struct sink {
    const struct sink_ops *ops;
    const char *name;   /* borrowed: the deliver section's */
    bool drop_rejected; /* on_reject = "drop" */
    int64_t row;        /* of the journal, set by the heart */
    _Atomic bool out;   /* for the rest of this pass, set by the heart: it is asked for nothing more */
};

#endif
