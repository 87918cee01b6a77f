/* SPDX-License-Identifier: MIT
 * journal_int.h - what the files of the journal share: the connection, its prepared statements, and the few steps
 * that every query is made of.
 *
 * A query: st = journal_stmt(j, SLOT, "SELECT ...", e); bind_...(j, st, 1, ...); then journal_run() for one without
 * rows or journal_row() for one with rows, and journal_done() when rows are left. The statement of a slot is prepared
 * at its first use and kept until the journal is closed. What is bound must live until the statement was run. A bind
 * that fails is remembered and reported by the next run or row.
 */
#ifndef MAILHAUL_STORE_JOURNAL_INT_H
#define MAILHAUL_STORE_JOURNAL_INT_H

#include "store/journal.h"

#include <sqlite3.h>

enum journal_slot {
    ST_BEGIN,
    ST_COMMIT,
    ST_ROLLBACK,
    ST_NOTE_GET,
    ST_NOTE_PUT,
    ST_SINK_GET,
    ST_SINK_USED,
    ST_FOLDER_GET,
    ST_FOLDER_INSERT,
    ST_FOLDER_UPDATE,
    ST_FOLDER_OLDEST,
    ST_FOLDER_SMALLEST,
    ST_FOLDER_UNSETTLE,
    ST_FIND_UID,
    ST_FIND_UIDL,
    ST_MAX_UID,
    ST_WALK_FIRST, /* one for each enum journal_walk, in its order */
    ST_WALK_LAST = ST_WALK_FIRST + WALK_OTHER_UIDVALIDITY,
    ST_MESSAGE_INSERT,
    ST_MESSAGE_UPDATE,
    ST_MESSAGE_MOVE,
    ST_MESSAGE_RESIZE,
    ST_MESSAGE_GONE,
    ST_MESSAGE_MARKED,
    ST_MESSAGE_TRIED,
    ST_MESSAGE_DELETE,
    ST_MESSAGE_DELETE_DELIVERIES,
    ST_DELIVERY_INSERT,
    ST_STAGE,
    ST_DELIVERY_SET,
    ST_DELIVERY_GET,
    ST_RECIPIENTS,
    ST_SETTLE,
    ST_IS_STORED,
    ST_PRUNE_DELIVERIES,
    ST_PRUNE_MESSAGES,
    ST_STAGED_NEXT,
    ST_MISSING,
    ST_QUARANTINE_NEXT,
    ST_QUARANTINE_SET,
    ST_QUARANTINE_UNSETTLE,
    ST_QUARANTINE_COUNT,
    ST_COUNT
};

/* Bits of journal_missing(): nobody has more destinations on one account. */
enum { JOURNAL_SINKS_MAX = 64, JOURNAL_ROW_MAX = 64 * 1024 };

struct journal {
    sqlite3 *db;
    char *path;
    bool read_only, writing;
    bool light;     /* synchronous is NORMAL, not FULL */
    bool unflushed; /* light commits since the last flush */
    /* An fsync has failed: what the kernel still holds of this file can no longer be trusted. */
    bool broken;
    char tag[JOURNAL_TAG_LEN + 1];
    sqlite3_stmt *stmts[ST_COUNT];
    int bind_rc; /* of the binds since the last run: the first that failed */
    /* The active destinations of this account as it is configured now. */
    struct {
        int64_t id;
        bool used; /* sink.used is known to be set */
    } sinks[JOURNAL_SINKS_MAX];
    size_t sink_count;
    struct buf row; /* what the slices of the row that was read last point into */
    struct {
        bool on, running; /* running: the statement stands on last_id; else it is asked anew from there */
        struct journal_query query;
        int64_t last_id;
    } walk;
};

/* Of columns folder and message alike: the numbers are in the file, so they never change. */
_Static_assert(DELIVERY_WANTED == 0 && DELIVERY_STAGED == 1 && DELIVERY_DELIVERED == 2 && DELIVERY_IN_DOUBT == 3 &&
                   DELIVERY_REJECTED == 4 && DELIVERY_DROPPED == 5,
               "the SQL texts hold these numbers");
_Static_assert(MESSAGE_PENDING == 0 && MESSAGE_STORED == 1 && MESSAGE_REMOVING == 2 && MESSAGE_SKIPPED == 3 &&
                   MESSAGE_QUARANTINED == 4 && MESSAGE_DROPPED == 5,
               "the SQL texts hold these numbers");

/* journal.c */

/* What SQLite said last, in words. Always returns -1. */
int journal_err(struct journal *j, int rc, struct err *e);
/* One or more statements without rows and without parameters, not kept. */
MUST_CHECK int journal_exec(struct journal *j, const char *sql, struct err *e);
/* The first column of the first row of a statement without parameters; 0 when there is none. Not kept. */
MUST_CHECK int journal_number(struct journal *j, const char *sql, int64_t *out, struct err *e);
/* NULL with *e filled. */
sqlite3_stmt *journal_stmt(struct journal *j, enum journal_slot slot, const char *sql, struct err *e);
MUST_CHECK int journal_run(struct journal *j, sqlite3_stmt *st, struct err *e);
/* *row_out: there is a row, and the statement stands on it. At the end the statement is reset. */
MUST_CHECK int journal_row(struct journal *j, sqlite3_stmt *st, bool *row_out, struct err *e);
void journal_done(sqlite3_stmt *st);

void bind_int(struct journal *j, sqlite3_stmt *st, int column, int64_t value);
void bind_int_or_null(struct journal *j, sqlite3_stmt *st, int column, int64_t value); /* 0 is NULL */
void bind_text(struct journal *j, sqlite3_stmt *st, int column, const char *text);
/* A blob; an empty one is an empty blob. */
void bind_slice(struct journal *j, sqlite3_stmt *st, int column, struct slice s);
void bind_slice_or_null(struct journal *j, sqlite3_stmt *st, int column, struct slice s); /* empty is NULL */
/* Dies with the next step of the statement; SLICE_NONE for NULL. */
struct slice column_slice(sqlite3_stmt *st, int column);

/* journal_schema.c: refuses files that are not ours or newer, makes or upgrades the schema (not when read-only: then
 * *empty_out tells that there is none yet), and reads the tag. */
MUST_CHECK int journal_schema(struct journal *j, bool *empty_out, struct err *e);
/* The schema in an empty database that nobody will see. */
MUST_CHECK int journal_schema_make(struct journal *j, struct err *e);

/* journal_message.c */
#define MESSAGE_COLUMNS                                                                                                \
    "m.id, m.folder, m.uidvalidity, m.uid, m.uidl, m.octets, m.state, m.tries, m.first_seen, m.stored_at, m.gone_at, " \
    "m.object_id, m.message_id, m.date, m.header_digest, m.reason"
enum { MESSAGE_COLUMN_COUNT = 16 };
/* Fills *out from MESSAGE_COLUMNS of the row; its slices and *extra_out (the column behind them, when it is not NULL)
 * point into j->row. */
MUST_CHECK int journal_message_read(struct journal *j, sqlite3_stmt *st, struct journal_message *out,
                                    struct slice *extra_out, struct err *e);
/* Before anything is written, or a transaction begins or ends: the walk goes on from the row it stands on. */
void journal_walk_pause(struct journal *j);

#endif
