/* SPDX-License-Identifier: MIT
 * source.h - where mail comes from: the calls that POP3, IMAP, and the memory source of the tests answer.
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
 * A source that is to live longer than one pass, and to be told of new mail (`wait_begin` is not NULL):
 *
 *     pass with keep_open (haul.h)     leaves it logged in when it ended well
 *     wait_begin                       asks to be told; the descriptor may now be watched by anyone, without a thread
 *     wait_read                        each time it is readable
 *     wait_renew                       at renew_ms at the latest: asks whether it still lives. The answer comes by
 *                                      wait_read, or there is none by the next renew_ms
 *     wait_end                         on news: then the next pass, on the same connection
 *     close                            in any state, always possible: a farewell that is not waited for
 *
 * open on a source that is open already goes on with that connection, and forgets what another pass may find changed.
 * When that connection turns out to be dead at the first command it is opened anew, once, and nobody need know.
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

enum wait_how {
    WAIT_NONE,   /* the server does not tell: look again after a while */
    WAIT_IDLE,   /* it tells about `folder`                           */
    WAIT_NOTIFY, /* it tells about every folder that the pass wanted   */
};

struct wait_request {
    /* Which folders are worth a connection: patterns as in haul_options.folders, applied to those that the last pass
     * wanted. None: WAIT_NONE. */
    const char *const *folders;
    size_t folder_count;
    /* IDLE on this very folder, of an earlier wait_state.more, on a connection that made no pass. NULL: by patterns. */
    const struct source_folder *folder;
    bool notify_ok;  /* NOTIFY may be used   */
    unsigned poll_s; /* renew_ms is at most that far away, and at most 9 minutes; 0: 9 minutes */
};

struct wait_state {
    int fd; /* of the connection, for poll() (POLLIN) only */
    enum wait_how how;
    int64_t renew_ms; /* clock_mono_ms() when wait_renew is due */
    bool asked;       /* that is when the answer to the last one is due */
    char *folder;     /* owned; IDLE: its name, else NULL */
    /* Owned. IDLE: further folders that the patterns name, which only further connections can tell about. INBOX is
     * never among them. */
    struct source_folders more;
    bool news; /* something has changed since the pass looked */
};
void wait_state_release(struct wait_state *w);

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
    /* NULL, all four: the source cannot be told of new mail.
     *
     * After an error of any of them the connection is gone, and open or close may follow. `news`: a pass is worth
     * while. wait_begin and wait_end wait for answers to their own commands, wait_read and wait_renew for nothing; all
     * leave the source parked (buffers freed).
     *
     * wait_begin: on an open source, also straight after another wait_begin. `out` is filled on success (released with
     * wait_state_release()); WAIT_NONE leaves the connection open. wait_read: the descriptor is readable; takes what is
     * there, which may be nothing yet. wait_renew: asks, so that a dead connection is found within `timeout` and an
     * event that the server forgot is not missed for longer; while an answer is due it only looks whether it is overdue
     * (E_TIMEOUT). Both fill in how (WAIT_NONE: the server has ended it), news, asked and renew_ms of `state`, and look
     * at nothing in it. wait_end: ends the waiting, so that a pass may follow on the same connection; when it fails,
     * the pass opens another. */
    MUST_CHECK int (*wait_begin)(struct source *s, const struct wait_request *request, struct wait_state *out,
                                 struct err *e);
    MUST_CHECK int (*wait_read)(struct source *s, struct wait_state *state, struct err *e);
    MUST_CHECK int (*wait_renew)(struct source *s, struct wait_state *state, struct err *e);
    MUST_CHECK int (*wait_end)(struct source *s, struct err *e);
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
    unsigned login_delay_s; /* POP3: LOGIN-DELAY, the time that the server wants between two logins; 0: none */
    bool read_only;         /* a dry run: nothing may change on the server (no RETR on servers that count it)   */
};

#endif
