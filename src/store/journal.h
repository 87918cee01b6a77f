/* SPDX-License-Identifier: MIT
 * journal.h - what an account knows: folders, messages, and for each (message, destination) how far it got.
 *
 * One SQLite file an account (WAL, synchronous=FULL, mode 0600), with a schema version in PRAGMA user_version: a
 * newer one is refused (E_DISK, with words), an older one upgraded. Unique-ids and folder names are BLOBs: any byte,
 * never a file name, never SQL text.
 *
 * States of a delivery: WANTED (the account has this destination, nothing done) -> STAGED (its final name is chosen
 * and recorded, the effect may or may not have happened) -> DELIVERED; or IN_DOUBT (handed over, and the answer was
 * never read), REJECTED (the destination will not take it), DROPPED (the same, and the user said that such mail may
 * go). Done are DELIVERED and DROPPED; all others are missing. A message's deliveries are fixed when its row is made:
 * the destinations that were active then. A message is STORED when every delivery of an active destination is done,
 * and at least one is.
 *
 * States of a message: PENDING (not stored yet; tries counts failed passes) -> STORED(at) -> REMOVING (taken off the
 * server, not confirmed) -> row deleted; or SKIPPED (over max_size), QUARANTINED (reason), DROPPED (the user gave it
 * up; it stays on the server and is never asked for again).
 *
 * Writing happens between journal_begin() and journal_commit(); a commit is durable when it returns, and one that
 * fails has been rolled back. After journal_begin_light() it costs no flush: it survives the end of the program at
 * once, a power cut only with the next durable one. Reading needs no transaction. A pass that only reads leaves no
 * write, no flush. Calls for one message or folder are by row id, which stays the same for the row's life (> 0).
 *
 * Calling sequence: journal_open(); journal_sink() for each destination, then journal_sinks_done(); the rest in any
 * order; journal_close().
 * Errors: E_DISK with the file's path; E_LOCKED when another program (a backup) keeps the file for seconds; E_NOMEM.
 * A corrupt file is E_DISK and says what to do; nothing is removed from any server then. After an fsync that failed
 * nothing is written any more until the journal is opened again.
 * Thread: one at a time (the owner may change with a proper hand-over).
 */
#ifndef MAILHAUL_STORE_JOURNAL_H
#define MAILHAUL_STORE_JOURNAL_H

#include "base/buf.h"
#include "base/err.h"

struct journal;

/* "3.40.1": the version of SQLite in use. */
const char *journal_library(void);

enum { JOURNAL_TAG_LEN = 8, JOURNAL_SHA256 = 32 };

enum delivery_state {
    DELIVERY_WANTED,
    DELIVERY_STAGED,
    DELIVERY_DELIVERED,
    DELIVERY_IN_DOUBT,
    DELIVERY_REJECTED,
    DELIVERY_DROPPED
};
enum message_state {
    MESSAGE_PENDING,
    MESSAGE_STORED,
    MESSAGE_REMOVING,
    MESSAGE_SKIPPED,
    MESSAGE_QUARANTINED,
    MESSAGE_DROPPED
};

/* `dirfd`, `name`: the file. `read_only`: nothing is made or changed; a missing file, or a dirfd of -1, reads as an
 * empty journal, and journal_sink() gives id 0 for a destination that it does not know. */
MUST_CHECK int journal_open(int dirfd, const char *dir_path, const char *name, bool read_only, struct journal **out,
                            struct err *e);
void journal_close(struct journal **j);
/* 8 hex digits, random at creation: names our scratch files. */
const char *journal_tag(const struct journal *j);

MUST_CHECK int journal_begin(struct journal *j, struct err *e);
MUST_CHECK int journal_begin_light(struct journal *j, struct err *e);
MUST_CHECK int journal_commit(struct journal *j, struct err *e);
void journal_rollback(struct journal *j); /* harmless outside a transaction */

/* Destinations, outside a transaction. journal_sink() finds or makes the row of this name (its own transaction when a
 * row has to be made) and marks it active; journal_sinks_done() marks all others inactive: they stop counting. Then
 * what waited for one of those alone becomes STORED; what none of today's has, or was to get, goes to all of today's
 * (or it would be in nobody's hands for ever); no folder stays settled. */
struct journal_sink {
    int64_t id;
    char marker[33];    /* "" until journal_sink_bind() */
    bool has_delivered; /* something was delivered there, or may have been: journal_stage() was called for it */
};
MUST_CHECK int journal_sink(struct journal *j, const char *name, const char *type, struct journal_sink *out,
                            struct err *e);
MUST_CHECK int journal_sinks_done(struct journal *j, struct err *e);
MUST_CHECK int journal_sink_bind(struct journal *j, int64_t sink, const char *marker, struct err *e);

/* Folders. For POP3 there is one, "INBOX". */
struct journal_folder {
    char delimiter;       /* the server's, '\0': none; for the path on disk, also when no server is asked */
    int64_t id;           /* 0: not known yet */
    uint32_t uidvalidity; /* 0: none yet, or POP3 */
    uint32_t uidnext;  /* IMAP: every UID below was dealt with: it is stored, skipped, gone, or has a row with tries */
    uint32_t messages; /* of the last complete look, with uidnext: "unchanged" compares both */
    uint64_t modseq;
    uint64_t octets;                       /* POP3: STAT of the last complete look */
    unsigned char listing[JOURNAL_SHA256]; /* POP3: digest of the UIDL reply of the last complete look */
    bool settled;        /* that look left nothing to do but removals by age (see oldest_kept) and larger max_size */
    int64_t oldest_kept; /* when the oldest message still kept on the server was stored (s since 1970); 0: none */
    uint64_t smallest_skipped; /* octets of the smallest SKIPPED one; 0: none */
};
MUST_CHECK int journal_folder_get(struct journal *j, struct slice name, struct journal_folder *out, struct err *e);
/* Inserts (sets f->id) or updates. In a transaction. */
MUST_CHECK int journal_folder_put(struct journal *j, struct slice name, struct journal_folder *f, struct err *e);
/* Works out oldest_kept and smallest_skipped from the rows (STORED and not gone; SKIPPED). */
MUST_CHECK int journal_folder_sums(struct journal *j, int64_t folder, int64_t *oldest_kept_out,
                                   uint64_t *smallest_skipped_out, struct err *e);

/* Messages. */
struct journal_message {
    int64_t id;
    int64_t folder;
    uint32_t uidvalidity; /* IMAP */
    uint32_t uid;         /* IMAP; 0 for POP3 */
    struct slice uidl;    /* POP3; borrowed: from a find or cursor until the next call on the journal */
    uint64_t octets;      /* POP3: as LIST said; IMAP: of the body as received (RFC822.SIZE while there is none) */
    enum message_state state;
    unsigned tries;     /* failed passes in a row */
    int64_t first_seen; /* s since 1970 */
    int64_t stored_at;  /* 0: not stored */
    int64_t gone_at;    /* POP3: since when listings lack it; 0: it was there at the last look */
    /* What tells it again under another UIDVALIDITY; n == 0 or has_* false: unknown. */
    struct slice object_id;
    struct slice message_id;
    int64_t date; /* INTERNALDATE; 0: unknown */
    bool has_header_digest;
    unsigned char header_digest[JOURNAL_SHA256];
    struct slice reason; /* of tries, SKIPPED, QUARANTINED: printable words */
};

/* *found_out tells whether there is one; *out is filled only then. */
MUST_CHECK int journal_find_uid(struct journal *j, int64_t folder, uint32_t uidvalidity, uint32_t uid,
                                struct journal_message *out, bool *found_out, struct err *e);
/* Any size: the caller compares octets. */
MUST_CHECK int journal_find_uidl(struct journal *j, int64_t folder, struct slice uidl, struct journal_message *out,
                                 bool *found_out, struct err *e);
/* The highest UID that has a row under this UIDVALIDITY; 0: none. */
MUST_CHECK int journal_max_uid(struct journal *j, int64_t folder, uint32_t uidvalidity, uint32_t *out, struct err *e);

/* Walks rows of a folder in the order of their ids (POP3: the order of the listings). One cursor at a time; what a
 * row's slices point to lives until the next call. Rows may be written and transactions begin and end meanwhile: the
 * walk goes on behind the row that it gave last, with what is there by then. */
enum journal_walk {
    WALK_ALL,
    WALK_PENDING, /* PENDING rows: to be tried again */
    WALK_SKIPPED,
    WALK_STORED,           /* STORED and REMOVING, with stored_at <= `before` */
    WALK_OTHER_UIDVALIDITY /* uidvalidity other than `uidvalidity`, any state */
};
struct journal_query {
    enum journal_walk walk;
    int64_t folder;
    uint32_t uidvalidity; /* WALK_PENDING, WALK_SKIPPED, WALK_STORED: only these (0 for POP3) */
    int64_t before;
    int64_t after_id; /* only rows with a greater id: 0 for all */
};
MUST_CHECK int journal_walk(struct journal *j, const struct journal_query *q, struct err *e);
MUST_CHECK int journal_walk_next(struct journal *j, struct journal_message *out, bool *found_out, struct err *e);
void journal_walk_end(struct journal *j);
/* The whole walk: calls `fn` for each row until it returns non-zero, which ends it with that error. `fn` may write, and
 * may not walk. */
typedef int journal_row_fn(void *ctx, const struct journal_message *row, struct err *e);
MUST_CHECK int journal_each(struct journal *j, const struct journal_query *q, journal_row_fn *fn, void *ctx,
                            struct err *e);

/* In a transaction, all of these. */
/* Inserts a row (and WANTED deliveries for the active destinations) when m->id is 0, else updates the row's facts
 * (neither its deliveries nor first_seen). Sets m->id. A UID that has a row already is E_DISK. */
MUST_CHECK int journal_message_put(struct journal *j, struct journal_message *m, struct err *e);
/* The same message under a new UIDVALIDITY and UID; nothing else of it changes. */
MUST_CHECK int journal_message_move(struct journal *j, int64_t message, uint32_t uidvalidity, uint32_t uid,
                                    struct err *e);
/* POP3: what LIST says of its size now; since when listings lack it (0: it is back); \Deleted was set, but it stays
 * on the server (REMOVING). */
MUST_CHECK int journal_message_resize(struct journal *j, int64_t message, uint64_t octets, struct err *e);
MUST_CHECK int journal_message_gone(struct journal *j, int64_t message, int64_t gone_at, struct err *e);
MUST_CHECK int journal_message_marked(struct journal *j, int64_t message, struct err *e);
MUST_CHECK int journal_message_delete(struct journal *j, int64_t message, struct err *e);
/* STAGED under this name. E_DISK for a destination that the message is not meant for. */
MUST_CHECK int journal_stage(struct journal *j, int64_t message, int64_t sink, const char *name, struct err *e);
/* DELIVERED, IN_DOUBT, REJECTED, DROPPED, or back to WANTED, which has no name. `name`: what it is called there by now,
 * NULL: as before. When it is done, the recipients of journal_recipients() are forgotten. */
MUST_CHECK int journal_delivery(struct journal *j, int64_t message, int64_t sink, enum delivery_state state,
                                const char *name, struct err *e);
/* The recipients that have it, when a destination has several for one message: opaque here. */
MUST_CHECK int journal_recipients(struct journal *j, int64_t message, int64_t sink, struct slice done, struct err *e);
/* A failed pass more, of a PENDING message: it stays that or becomes QUARANTINED. */
MUST_CHECK int journal_message_tried(struct journal *j, int64_t message, enum message_state state, unsigned tries,
                                     struct slice reason, struct err *e);
/* After deliveries changed: sets STORED (stored_at = now, tries = 0) when all that count are done. *stored_out,
 * which may be NULL: it is STORED now, or was before. */
MUST_CHECK int journal_settle_message(struct journal *j, int64_t message, int64_t now, bool *stored_out, struct err *e);
/* The folder of this message is not settled any more: its next pass looks at everything. */
MUST_CHECK int journal_unsettle_folder_of(struct journal *j, int64_t message, struct err *e);
/* Deletes the rows whose gone_at is before `limit`. */
MUST_CHECK int journal_prune_gone(struct journal *j, int64_t folder, int64_t limit, struct err *e);

/* Deliveries that were STAGED when the last pass ended, of one destination. */
struct journal_staged {
    int64_t message;
    const char *name;         /* borrowed until the next call */
    struct slice folder_name; /* the same */
    char delimiter;           /* of that folder */
};
MUST_CHECK int journal_staged_first(struct journal *j, int64_t sink, int64_t after_message, struct journal_staged *out,
                                    bool *found_out, struct err *e);
/* How far one delivery is; the name ("" for none) and the recipients are copied. WANTED when there is none. */
MUST_CHECK int journal_delivery_get(struct journal *j, int64_t message, int64_t sink, enum delivery_state *state_out,
                                    char *name, size_t name_size, struct buf *recipients_out, struct err *e);
/* Which destinations of a message are not done yet: bit i stands for sinks[i]. */
MUST_CHECK int journal_missing(struct journal *j, int64_t message, const int64_t *sinks, size_t count,
                               uint64_t *bits_out, struct err *e);

/* Quarantine, over all folders, ordered by id. */
struct journal_quarantined {
    struct journal_message message;
    struct slice folder_name;
};
MUST_CHECK int journal_quarantine_next(struct journal *j, int64_t after_id, struct journal_quarantined *out,
                                       bool *found_out, struct err *e);
/* To PENDING with tries 0 (retry) or to DROPPED; of this message, or all when `message` is 0. Also marks the folders
 * as not settled on a retry. In a transaction. */
MUST_CHECK int journal_quarantine_set(struct journal *j, int64_t message, enum message_state state, unsigned *count_out,
                                      struct err *e);
MUST_CHECK int journal_quarantine_count(struct journal *j, unsigned *out, struct err *e);

/* Small facts that are learned ("pipelining" "no"): value is copied into `out`; missing: "" . The put is in a
 * transaction. */
MUST_CHECK int journal_note_get(struct journal *j, const char *key, struct buf *out, struct err *e);
MUST_CHECK int journal_note_put(struct journal *j, const char *key, const char *value, struct err *e);

#endif
