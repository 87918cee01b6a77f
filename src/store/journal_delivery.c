/* SPDX-License-Identifier: MIT */
#include "store/journal.h"

#include <assert.h>

#include "store/journal_int.h"

/* That something may have been put there is remembered with the destination itself: messages come and go. */
static int mark_used(struct journal *j, int64_t sink, struct err *e)
{
    sqlite3_stmt *st;

    for (size_t i = 0; i < j->sink_count; i++) {
        if (j->sinks[i].id != sink)
            continue;
        if (j->sinks[i].used)
            return 0;
        j->sinks[i].used = true;
    }
    st = journal_stmt(j, ST_SINK_USED, "UPDATE sink SET used = 1 WHERE id = ?1 AND NOT used", e);
    if (st == NULL)
        return -1;
    bind_int(j, st, 1, sink);
    return journal_run(j, st, e);
}

/* A delivery that does not exist is a destination that the message was never for: a mistake of ours, said loudly
 * before the file is moved in place. */
static int changed_one(struct journal *j, struct err *e)
{
    if (sqlite3_changes(j->db) == 1)
        return 0;
    return err_set(e, E_DISK, "%s: a message is not meant for this destination; please report this", j->path);
}

int journal_stage(struct journal *j, int64_t message, int64_t sink, const char *name, struct err *e)
{
    sqlite3_stmt *st;

    assert(j->writing);
    if (mark_used(j, sink, e) != 0)
        return -1;
    st = journal_stmt(j, ST_STAGE, "UPDATE delivery SET state = 1, name = ?3 WHERE message = ?1 AND sink = ?2", e);
    if (st == NULL)
        return -1;
    bind_int(j, st, 1, message);
    bind_int(j, st, 2, sink);
    bind_text(j, st, 3, name);
    return journal_run(j, st, e) != 0 ? -1 : changed_one(j, e);
}

int journal_delivery(struct journal *j, int64_t message, int64_t sink, enum delivery_state state, const char *name,
                     struct err *e)
{
    sqlite3_stmt *st;

    assert(j->writing && state != DELIVERY_STAGED);
    st = journal_stmt(j, ST_DELIVERY_SET,
                      "UPDATE delivery SET state = ?3,"
                      " name = CASE ?3 WHEN 0 THEN NULL ELSE ifnull(?4, name) END,"
                      " recipients = CASE WHEN ?3 IN (2, 5) THEN NULL ELSE recipients END"
                      " WHERE message = ?1 AND sink = ?2",
                      e);
    if (st == NULL)
        return -1;
    bind_int(j, st, 1, message);
    bind_int(j, st, 2, sink);
    bind_int(j, st, 3, (int64_t)state);
    bind_text(j, st, 4, name);
    return journal_run(j, st, e) != 0 ? -1 : changed_one(j, e);
}

int journal_recipients(struct journal *j, int64_t message, int64_t sink, struct slice done, struct err *e)
{
    sqlite3_stmt *st;

    assert(j->writing);
    st = journal_stmt(j, ST_RECIPIENTS, "UPDATE delivery SET recipients = ?3 WHERE message = ?1 AND sink = ?2", e);
    if (st == NULL)
        return -1;
    bind_int(j, st, 1, message);
    bind_int(j, st, 2, sink);
    bind_slice_or_null(j, st, 3, done);
    return journal_run(j, st, e) != 0 ? -1 : changed_one(j, e);
}

int journal_delivery_get(struct journal *j, int64_t message, int64_t sink, enum delivery_state *state_out, char *name,
                         size_t name_size, struct buf *recipients_out, struct err *e)
{
    sqlite3_stmt *st = journal_stmt(j, ST_DELIVERY_GET,
                                    "SELECT state, name, recipients FROM delivery WHERE message = ?1 AND sink = ?2", e);
    struct slice known;
    bool row;
    int rc = 0;

    *state_out = DELIVERY_WANTED;
    name[0] = '\0';
    buf_clear(recipients_out);
    if (st == NULL)
        return -1;
    bind_int(j, st, 1, message);
    bind_int(j, st, 2, sink);
    if (journal_row(j, st, &row, e) != 0)
        return -1;
    if (!row)
        return 0;
    *state_out = (enum delivery_state)sqlite3_column_int(st, 0);
    known = column_slice(st, 1);
    if (known.n > 0 && known.n < name_size) {
        memcpy(name, known.p, known.n);
        name[known.n] = '\0';
    }
    if (buf_put_slice(recipients_out, column_slice(st, 2)) != 0)
        rc = err_nomem(e);
    journal_done(st);
    return rc;
}

static int is_stored(struct journal *j, int64_t message, bool *out, struct err *e)
{
    sqlite3_stmt *st = journal_stmt(j, ST_IS_STORED, "SELECT state IN (1, 2) FROM message WHERE id = ?1", e);
    bool row;

    *out = false;
    if (st == NULL)
        return -1;
    bind_int(j, st, 1, message);
    if (journal_row(j, st, &row, e) != 0)
        return -1;
    if (row)
        *out = sqlite3_column_int(st, 0) != 0;
    journal_done(st);
    return 0;
}

int journal_settle_message(struct journal *j, int64_t message, int64_t now, bool *stored_out, struct err *e)
{
    sqlite3_stmt *st;

    assert(j->writing);
    journal_walk_pause(j);
    /* At least one must be done with it: a message whose destinations are all gone is in nobody's hands. */
    st = journal_stmt(j, ST_SETTLE,
                      "UPDATE message SET state = 1, stored_at = ?2, tries = 0, reason = NULL"
                      " WHERE id = ?1 AND state NOT IN (1, 2)"
                      " AND EXISTS (SELECT 1 FROM delivery WHERE message = ?1 AND state IN (2, 5))"
                      " AND NOT EXISTS (SELECT 1 FROM delivery d CROSS JOIN sink s ON s.id = d.sink"
                      "                 WHERE d.message = ?1 AND d.state NOT IN (2, 5) AND s.active)",
                      e);
    if (st == NULL)
        return -1;
    bind_int(j, st, 1, message);
    bind_int(j, st, 2, now);
    if (journal_run(j, st, e) != 0)
        return -1;
    if (stored_out == NULL)
        return 0;
    *stored_out = sqlite3_changes(j->db) == 1;
    return *stored_out ? 0 : is_stored(j, message, stored_out, e);
}

int journal_staged_first(struct journal *j, int64_t sink, int64_t after_message, struct journal_staged *out,
                         bool *found_out, struct err *e)
{
    sqlite3_stmt *st =
        journal_stmt(j, ST_STAGED_NEXT,
                     "SELECT d.message, d.name, f.name, f.delimiter FROM delivery d INDEXED BY delivery_staged"
                     " CROSS JOIN message m ON m.id = d.message CROSS JOIN folder f ON f.id = m.folder"
                     " WHERE d.sink = ?1 AND d.state = 1 AND d.message > ?2 ORDER BY d.message LIMIT 1",
                     e);
    struct slice name, folder;
    int rc = -1;

    *found_out = false;
    if (st == NULL)
        return -1;
    bind_int(j, st, 1, sink);
    bind_int(j, st, 2, after_message);
    if (journal_row(j, st, found_out, e) != 0)
        return -1;
    if (!*found_out)
        return 0;
    name = column_slice(st, 1);
    folder = column_slice(st, 2);
    buf_clear(&j->row);
    if (buf_reserve(&j->row, name.n + 1 + folder.n) != 0 || buf_put_slice(&j->row, name) != 0 ||
        buf_put_char(&j->row, '\0') != 0 || buf_put_slice(&j->row, folder) != 0) {
        err_nomem(e);
        goto out;
    }
    out->message = sqlite3_column_int64(st, 0);
    out->name = j->row.p;
    out->folder_name = slice_make(j->row.p + name.n + 1, folder.n);
    out->delimiter = (char)sqlite3_column_int(st, 3);
    rc = 0;
out:
    journal_done(st);
    return rc;
}

int journal_missing(struct journal *j, int64_t message, const int64_t *sinks, size_t count, uint64_t *bits_out,
                    struct err *e)
{
    sqlite3_stmt *st =
        journal_stmt(j, ST_MISSING, "SELECT sink FROM delivery WHERE message = ?1 AND state NOT IN (2, 5)", e);
    bool row;

    assert(count <= JOURNAL_SINKS_MAX);
    *bits_out = 0;
    if (st == NULL)
        return -1;
    bind_int(j, st, 1, message);
    for (;;) {
        if (journal_row(j, st, &row, e) != 0)
            return -1;
        if (!row)
            return 0;
        for (size_t i = 0; i < count; i++) {
            if (sinks[i] == sqlite3_column_int64(st, 0))
                *bits_out |= UINT64_C(1) << i;
        }
    }
}
