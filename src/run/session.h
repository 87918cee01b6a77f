/* SPDX-License-Identifier: MIT
 * session.h - an account's section of the configuration, made ready to run: its lock, journal, source and sinks.
 *
 * Calling sequence: session_open(); then one of session_pass(), session_folders(), session_sinks() and
 * session_check_destination(), or the accessors;
 * session_close(). With `dry_run` nothing is made or changed anywhere, and a state directory that does not exist reads
 * as empty.
 *
 * Files in state_dir, NAME being the account's name with every byte but letters, digits and "_@+-." as %XX:
 *     NAME.lock    one pass at a time (store/lock.h)
 *     NAME.db      the journal (store/journal.h)
 *     NAME.last    time and result of the last pass (last.h)
 *     NAME.tls     TLS sessions to resume (tickets.h); NAME:DELIVER.tls of a destination
 *
 * Errors: E_LOCKED, E_DISK, E_CONFIG, E_NOMEM, and those of the pass. Thread: one at a time; different sessions in
 * different threads.
 */
#ifndef MAILHAUL_RUN_SESSION_H
#define MAILHAUL_RUN_SESSION_H

#include "conf/conf.h"
#include "haul/haul.h"
#include "net/stream.h"

struct session;
struct last_turn;

struct session_options {
    bool dry_run;
    bool look;                      /* reads the state as it is, beside a pass at work: no lock; with dry_run */
    bool oversize;                  /* max_size does not count in this pass         */
    bool list_all;                  /* session_folders() tells every folder         */
    struct haul_progress *progress; /* NULL: nobody looks                           */
    struct haul_observer observer;
    struct last_turn *turn; /* what session_pass() has made of it (last.h); NULL: nobody asks */
    unsigned sessions;      /* how many run at once: descriptors are shared */
    /* Borrowed: of session_source_new() for the same account; it outlives the session, and a pass that ends well leaves
     * it logged in where it can wait for news (haul/source.h). NULL: one that lives and is closed with the session. */
    struct source *source;
};

/* The source of an account for many sessions; freed with ops->free. Borrows from `account` for its life. */
MUST_CHECK int session_source_new(const struct conf_account *account, struct source **out, struct err *e);

MUST_CHECK int session_open(const struct conf *c, const struct conf_account *account,
                            const struct session_options *options, struct session **out, struct err *e);
void session_close(struct session **s);

/* What of the configuration only OpenSSL can judge (trust files, client certificates and keys, pins; of the accounts
 * and of their destinations): false when something is wrong, which was told then. Contacts nobody: a wrong
 * configuration stops all accounts before the first is contacted. */
bool session_all_right(const struct conf_account *const *accounts, size_t count);

/* A whole pass; *out is always filled, and NAME.last is written (not in a dry run). */
int session_pass(struct session *s, struct haul_result *out);
/* Logs in and tells the folders; session_stream() may be asked until session_logout(). */
MUST_CHECK int session_folders(struct session *s, struct source_folders *out, struct err *e);
/* For net/tls_tell.h; NULL: not connected. */
const struct stream *session_stream(const struct session *s);
void session_logout(struct session *s);
/* Whether the account's `folders` select this one. */
bool session_selects(const struct session *s, const struct source_folder *folder);
/* Destinations are there and are the ones they were; with `adopt` they are bound anew. */
MUST_CHECK int session_sinks(struct session *s, bool adopt, struct err *e);
/* Those of the account, in the order of the configuration; each is asked whether it would take mail, without being sent
 * any. One that is only looked at on disk (session_sinks() did) has nothing to say. */
size_t session_destinations(const struct session *s);
MUST_CHECK int session_check_destination(struct session *s, size_t i, sink_tell_fn *tell, void *ctx, struct err *e);
struct journal *session_journal(struct session *s);
/* "imaps imap.example.org, user me", appended. */
MUST_CHECK int session_describe(const struct session *s, struct buf *out);

/* The directory of the state files, made (mode 0700, with its parents) when missing unless `read_only`: then -1 in
 * *fd_out and 0 for a missing one. */
MUST_CHECK int session_state_dir(const struct conf *c, bool read_only, int *fd_out, struct err *e);

#endif
