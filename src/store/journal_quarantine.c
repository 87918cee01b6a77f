/* SPDX-License-Identifier: MIT */
#include "store/journal.h"

#include <assert.h>

#include "store/journal_int.h"

int journal_quarantine_next(struct journal *j, int64_t after_id, struct journal_quarantined *out, bool *found_out,
                            struct err *e)
{
    sqlite3_stmt *st =
        journal_stmt(j, ST_QUARANTINE_NEXT,
                     "SELECT " MESSAGE_COLUMNS ", f.name"
                     " FROM message m INDEXED BY message_quarantined CROSS JOIN folder f ON f.id = m.folder"
                     " WHERE m.state = 4 AND m.id > ?1 ORDER BY m.id LIMIT 1",
                     e);
    int rc = 0;

    *found_out = false;
    if (st == NULL)
        return -1;
    bind_int(j, st, 1, after_id);
    if (journal_row(j, st, found_out, e) != 0)
        return -1;
    if (*found_out) {
        rc = journal_message_read(j, st, &out->message, &out->folder_name, e);
        journal_done(st);
    }
    return rc;
}

/* The folder must be looked at again even where nothing new has come. */
static int unsettle(struct journal *j, int64_t message, struct err *e)
{
    sqlite3_stmt *st = journal_stmt(j, ST_QUARANTINE_UNSETTLE,
                                    "UPDATE folder SET settled = 0 WHERE settled AND id IN (SELECT folder FROM message"
                                    " INDEXED BY message_quarantined WHERE state = 4 AND (?1 = 0 OR id = ?1))",
                                    e);

    if (st == NULL)
        return -1;
    bind_int(j, st, 1, message);
    return journal_run(j, st, e);
}

int journal_quarantine_set(struct journal *j, int64_t message, enum message_state state, unsigned *count_out,
                           struct err *e)
{
    sqlite3_stmt *st;

    assert(j->writing && (state == MESSAGE_PENDING || state == MESSAGE_DROPPED));
    journal_walk_pause(j);
    *count_out = 0;
    if (state == MESSAGE_PENDING && unsettle(j, message, e) != 0)
        return -1;
    st = journal_stmt(j, ST_QUARANTINE_SET,
                      "UPDATE message INDEXED BY message_quarantined SET state = ?2, tries = 0"
                      " WHERE state = 4 AND (?1 = 0 OR id = ?1)",
                      e);
    if (st == NULL)
        return -1;
    bind_int(j, st, 1, message);
    bind_int(j, st, 2, (int64_t)state);
    if (journal_run(j, st, e) != 0)
        return -1;
    *count_out = (unsigned)sqlite3_changes(j->db);
    return 0;
}

int journal_quarantine_count(struct journal *j, unsigned *out, struct err *e)
{
    sqlite3_stmt *st = journal_stmt(j, ST_QUARANTINE_COUNT,
                                    "SELECT count(*) FROM message INDEXED BY message_quarantined WHERE state = 4", e);
    bool row;

    *out = 0;
    if (st == NULL || journal_row(j, st, &row, e) != 0)
        return -1;
    if (row)
        *out = (unsigned)sqlite3_column_int64(st, 0);
    journal_done(st);
    return 0;
}
