/* SPDX-License-Identifier: MIT */
#include "store/journal_int.h"

#include <sys/random.h>

/* "mhal": tells our files from other people's SQLite files. */
enum { APPLICATION_ID = 0x6d68616c };

/* What is done to come from version i to i + 1. A new version is a new entry; an old entry never changes.
 *
 * - A delivery has no row id of its own: it is found by message and destination only.
 * - Columns that only one protocol has (uid, uidl) are NULL for the other, so that the partial indexes skip them, and
 *   SQLite can tell from "uid = ?" that such an index serves.
 * - The states that are rare have partial indexes: they cost nothing where there are none, and the walks over them
 *   touch no other row.
 * - No foreign keys: rows come and go in journal_message.c only, and the checks would cost two more look-ups a
 *   message. */
static const char *const upgrades[] = {
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE note (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE sink ("
    " id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, type TEXT NOT NULL, marker TEXT NOT NULL DEFAULT '',"
    " active INTEGER NOT NULL DEFAULT 1, used INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE folder ("
    " id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, delimiter INTEGER NOT NULL, uidvalidity INTEGER NOT NULL, "
    "uidnext INTEGER NOT NULL,"
    " messages INTEGER NOT NULL, modseq INTEGER NOT NULL, octets INTEGER NOT NULL, listing BLOB,"
    " settled INTEGER NOT NULL, oldest_kept INTEGER NOT NULL, smallest_skipped INTEGER NOT NULL);"
    "CREATE TABLE message ("
    " id INTEGER PRIMARY KEY, folder INTEGER NOT NULL, uidvalidity INTEGER NOT NULL, uid INTEGER, uidl BLOB,"
    " octets INTEGER NOT NULL, state INTEGER NOT NULL, tries INTEGER NOT NULL, first_seen INTEGER NOT NULL,"
    " stored_at INTEGER NOT NULL, gone_at INTEGER NOT NULL, object_id BLOB, message_id BLOB, date INTEGER NOT NULL,"
    " header_digest BLOB, reason BLOB);"
    "CREATE INDEX message_folder ON message (folder);"
    "CREATE UNIQUE INDEX message_uid ON message (folder, uidvalidity, uid) WHERE uid IS NOT NULL;"
    "CREATE INDEX message_uidl ON message (folder, uidl) WHERE uidl IS NOT NULL;"
    "CREATE INDEX message_pending ON message (folder) WHERE state = 0;"
    "CREATE INDEX message_skipped ON message (folder) WHERE state = 3;"
    "CREATE INDEX message_quarantined ON message (state) WHERE state = 4;"
    "CREATE INDEX message_gone ON message (folder, gone_at) WHERE gone_at > 0;"
    "CREATE TABLE delivery ("
    " message INTEGER NOT NULL, sink INTEGER NOT NULL, state INTEGER NOT NULL, name TEXT,"
    " PRIMARY KEY (message, sink)) WITHOUT ROWID;"
    "CREATE INDEX delivery_staged ON delivery (sink, message) WHERE state = 1;",
    /* Recipients that have it, while others are missing. State 5 (DROPPED) is new, too. */
    "ALTER TABLE delivery ADD COLUMN recipients BLOB;",
};

/* Reading for its own sake (status, dry runs) asks for nothing that came behind this version. */
enum { READABLE = 1 };

static int tag_make(struct journal *j, struct err *e)
{
    uint32_t bits;
    char sql[100];

    if (getrandom(&bits, sizeof(bits), 0) != (ssize_t)sizeof(bits))
        return err_sys(e, E_NOMEM, errno, "no random numbers from the system");
    snprintf(sql, sizeof(sql), "INSERT OR IGNORE INTO meta VALUES ('tag', '%08" PRIx32 "')", bits);
    return journal_exec(j, sql, e);
}

static int tag_read(struct journal *j, struct err *e)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(j->db, "SELECT value FROM meta WHERE key = 'tag'", -1, &st, NULL);
    struct slice tag = SLICE_NONE;

    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    if (rc == SQLITE_ROW)
        tag = column_slice(st, 0);
    if (tag.n == JOURNAL_TAG_LEN) {
        memcpy(j->tag, tag.p, tag.n);
        rc = SQLITE_OK;
    } else if (rc == SQLITE_ROW || rc == SQLITE_DONE) {
        rc = SQLITE_CORRUPT;
    }
    if (rc != SQLITE_OK)
        journal_err(j, rc, e);
    sqlite3_finalize(st);
    return rc == SQLITE_OK ? 0 : -1;
}

static int upgrade(struct journal *j, size_t version, struct err *e)
{
    char sql[80];

    if (journal_exec(j, "BEGIN IMMEDIATE", e) != 0)
        return -1;
    for (size_t i = version; i < ARRAY_LEN(upgrades); i++) {
        if (journal_exec(j, upgrades[i], e) != 0)
            goto fail;
    }
    snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %zu", APPLICATION_ID,
             ARRAY_LEN(upgrades));
    if (tag_make(j, e) != 0 || journal_exec(j, sql, e) != 0 || journal_exec(j, "COMMIT", e) != 0)
        goto fail;
    return 0;
fail:
    sqlite3_exec(j->db, "ROLLBACK", NULL, NULL, NULL);
    return -1;
}

int journal_schema_make(struct journal *j, struct err *e)
{
    return upgrade(j, 0, e) != 0 ? -1 : tag_read(j, e);
}

static int refuse(struct journal *j, const char *what, struct err *e)
{
    err_set(e, E_DISK, "%s %s", j->path, what);
    return err_retry(e, RETRY_NEVER);
}

int journal_schema(struct journal *j, bool *empty_out, struct err *e)
{
    int64_t version, application, tables = 0;

    *empty_out = false;
    if (journal_number(j, "PRAGMA user_version", &version, e) != 0 ||
        journal_number(j, "PRAGMA application_id", &application, e) != 0)
        return -1;
    if (version == 0 && journal_number(j, "SELECT count(*) FROM sqlite_master", &tables, e) != 0)
        return -1;
    if (version < 0 || ((version > 0 || tables > 0 || application != 0) && application != APPLICATION_ID))
        return refuse(j, "is no journal of mailhaul; move it away", e);
    if ((uint64_t)version > ARRAY_LEN(upgrades))
        return refuse(j, "was written by a newer mailhaul; install that one again", e);
    if ((size_t)version == ARRAY_LEN(upgrades))
        return tag_read(j, e);
    if (j->read_only && version == 0) {
        *empty_out = true;
        return 0;
    }
    if (j->read_only && version >= READABLE)
        return tag_read(j, e);
    if (j->read_only)
        return refuse(j, "was written by an older mailhaul and is upgraded by the next fetch; run that first", e);
    return upgrade(j, (size_t)version, e) != 0 ? -1 : tag_read(j, e);
}
