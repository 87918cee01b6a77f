/* SPDX-License-Identifier: MIT
 * source.h - where mail comes from: the seven calls that POP3, IMAP, and the memory source of the tests answer.
 *
 * The heart (haul.c) drives them in this order, and a source keeps no policy of its own:
 *
 *     open                         connect, secure, log in
 *     scan                         which folders there are and what their STATUS says
 *     for each selected folder:
 *         list                     which messages are there (only new ones, where the server can tell)
 *         fetch ... fetch          bodies stream into the intake, pipelined
 *         remove                   take stored messages off the server
 *     close                        say goodbye; always called, also after an error
 *
 * After close, open may be called again (a cut connection, a POP3 session that removed something).
 *
 * Errors: scope MESSAGE never leaves fetch() (it goes to intake_failed()); FOLDER: the rest of the session is usable;
 * SESSION and ACCOUNT: close. An error that comes out of an intake_*() call is passed on unchanged.
 * Ownership: a source is made by its own constructor and freed by ops->free. What `scan` and `list` fill in belongs to
 * the caller.
 * Thread: one at a time.
 */
#ifndef MAILHAUL_HAUL_SOURCE_H
#define MAILHAUL_HAUL_SOURCE_H

#include "base/buf.h"
#include "base/err.h"
#include "haul/intake.h"
#include "haul/listing.h"
#include "store/journal.h"

/* What was learned of this server and is remembered over passes. */
enum source_quirk {
    QUIRK_NO_PIPELINING = 1 << 0,   /* POP3: it offered PIPELINING and answered out of step */
    QUIRK_NO_CAPA = 1 << 1,         /* POP3: it hangs or leaves at CAPA                      */
    QUIRK_SAID_NO_EXPUNGE = 1 << 2, /* IMAP: the user was told that messages are only marked */
    QUIRK_NO_TOP = 1 << 3,          /* POP3: its answers to TOP break the session            */
};

struct source_folder {
    char *name;      /* owned; program form (wire/folder.h) */
    char *wire_name; /* owned; as the server wrote it       */
    char delimiter;
    unsigned attrs;    /* enum imap_attr                      */
    bool listed_twice; /* while a source makes its list */
    bool has_status;   /* the three below were told           */
    uint32_t uidvalidity, uidnext, messages;
    uint64_t modseq; /* 0: not told                         */
};

struct source_folders {
    struct source_folder *v; /* owned */
    size_t count, cap;
};
void source_folders_release(struct source_folders *f);
/* Appends a copy. */
MUST_CHECK int source_folders_add(struct source_folders *f, const struct source_folder *folder, struct err *e);

/* What the heart wants to know of one folder. */
struct list_request {
    const struct source_folder *folder;
    const struct journal_folder *known; /* of the journal; id 0: never seen                              */
    bool complete;                      /* every message is wanted, not only what is new since `known`   */
    bool writable;                      /* something may be removed afterwards: SELECT, else EXAMINE     */
};

enum remove_result {
    REMOVE_DONE,   /* gone, confirmed by the server                                         */
    REMOVE_MARKED, /* marked \Deleted and left, because the server cannot remove just these */
};

struct source;
struct source_ops {
    const char *protocol; /* "pop3", "imap" */
    /* "imaps imap.example.org, user me@example.org": appended to `out`. */
    MUST_CHECK int (*describe)(const struct source *s, struct buf *out);
    MUST_CHECK int (*open)(struct source *s, struct err *e);
    /* Every folder, or (`with_status`) with its STATUS too where that costs no round trip a folder. POP3: one, "INBOX".
     * The status of folders for which `wanted(ctx, folder)` is false is not asked. */
    MUST_CHECK int (*scan)(struct source *s, bool (*wanted)(void *ctx, const struct source_folder *f), void *ctx,
                           struct source_folders *out, struct err *e);
    /* Fills `out` (cleared before). Sets out->unchanged, with no entries, when nothing can be new. */
    MUST_CHECK int (*list)(struct source *s, const struct list_request *request, struct listing *out, struct err *e);
    /* Bodies of these entries of the folder listed last, ascending. Each ends in exactly one of intake_done() and
     * intake_failed(), except behind an error. */
    MUST_CHECK int (*fetch)(struct source *s, const struct fetch_item *items, size_t count, struct intake *in,
                            struct err *e);
    /* Header blocks only (BODY.PEEK[HEADER], TOP 0): `got` is called with the SHA-256 and Message-ID of each that
     * could be had. NULL: not offered by this source. */
    MUST_CHECK int (*headers)(struct source *s, const struct fetch_item *items, size_t count,
                              int (*got)(void *ctx, const struct fetch_item *item, const struct header_facts *facts,
                                         struct err *e),
                              void *ctx, struct err *e);
    /* Takes these off the server. For POP3 this ends the session with QUIT: close and open before anything else. At
     * most remove_max at a time. */
    MUST_CHECK int (*remove)(struct source *s, const struct fetch_item *items, size_t count,
                             enum remove_result *result_out, struct err *e);
    void (*close)(struct source *s);
    void (*free)(struct source *s);
};

struct source {
    const struct source_ops *ops;
    unsigned quirks;   /* enum source_quirk: set from the journal before open, written back after the pass */
    size_t remove_max; /* 500 for POP3, so that a cut session loses little; SIZE_MAX: any                 */
    bool no_status;    /* set by the heart: there is nothing yet that a STATUS could be compared with        */
    bool only_inbox;   /* set by the heart: no other folder is selected, so nothing else need be listed     */
    bool one_folder;   /* POP3: no folders, `folders` of the configuration does not apply                 */
    /* Set by list(): this server shows only a part at a time (Gmail POP3): look again after a session that brought
     * something. */
    bool lists_a_part;
    bool read_only; /* a dry run: nothing may change on the server (no RETR on servers that count it)   */
};

#endif
