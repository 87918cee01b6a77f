/* SPDX-License-Identifier: MIT */
#include "store/journal.h"

#include <assert.h>

#include "base/clock.h"
#include "store/journal_int.h"

/* *out->id stays 0 when there is no row; *same_out: it is active and of this type. */
static int sink_get(struct journal *j, const char *name, const char *type, struct journal_sink *out, bool *same_out,
                    struct err *e)
{
    sqlite3_stmt *st =
        journal_stmt(j, ST_SINK_GET, "SELECT id, marker, used, active AND type = ?2 FROM sink WHERE name = ?1", e);
    struct slice marker;
    bool row;

    memset(out, 0, sizeof(*out));
    *same_out = false;
    if (st == NULL)
        return -1;
    bind_text(j, st, 1, name);
    bind_text(j, st, 2, type);
    if (journal_row(j, st, &row, e) != 0)
        return -1;
    if (!row)
        return 0;
    out->id = sqlite3_column_int64(st, 0);
    marker = column_slice(st, 1);
    if (marker.n > 0 && marker.n < sizeof(out->marker))
        memcpy(out->marker, marker.p, marker.n);
    out->has_delivered = sqlite3_column_int(st, 2) != 0;
    *same_out = sqlite3_column_int(st, 3) != 0;
    journal_done(st);
    return 0;
}

static int sink_put(struct journal *j, const char *name, const char *type, struct err *e)
{
    sqlite3_stmt *st;
    int rc;

    if (journal_begin(j, e) != 0)
        return -1;
    rc = sqlite3_prepare_v2(j->db,
                            "INSERT INTO sink (name, type) VALUES (?1, ?2)"
                            " ON CONFLICT (name) DO UPDATE SET active = 1, type = ?2",
                            -1, &st, NULL);
    if (rc != SQLITE_OK) {
        journal_err(j, rc, e);
        goto fail;
    }
    j->bind_rc = SQLITE_OK;
    bind_text(j, st, 1, name);
    bind_text(j, st, 2, type);
    rc = journal_run(j, st, e);
    sqlite3_finalize(st);
    if (rc == 0)
        return journal_commit(j, e);
fail:
    journal_rollback(j);
    return -1;
}

int journal_sink(struct journal *j, const char *name, const char *type, struct journal_sink *out, struct err *e)
{
    bool same;

    assert(!j->writing);
    if (sink_get(j, name, type, out, &same, e) != 0)
        return -1;
    if (!same && !j->read_only) {
        if (sink_put(j, name, type, e) != 0 || sink_get(j, name, type, out, &same, e) != 0)
            return -1;
    }
    if (out->id == 0)
        return 0;
    for (size_t i = 0; i < j->sink_count; i++) {
        if (j->sinks[i].id == out->id)
            return 0;
    }
    if (j->sink_count == JOURNAL_SINKS_MAX) {
        err_set(e, E_CONFIG, "more than %d destinations for one account", JOURNAL_SINKS_MAX);
        return -1;
    }
    j->sinks[j->sink_count].id = out->id;
    j->sinks[j->sink_count++].used = out->has_delivered;
    return 0;
}

/* The ids of the active destinations as a list for SQL: "0,3,4". */
static int sink_list(const struct journal *j, struct buf *out)
{
    if (buf_put_str(out, "0") != 0)
        return -1;
    for (size_t i = 0; i < j->sink_count; i++) {
        if (buf_putf(out, ",%" PRId64, j->sinks[i].id) != 0)
            return -1;
    }
    return 0;
}

/* What it means that a destination no longer counts. A message that waited for it alone is stored. One that nothing
 * has taken and that no destination of today was to take would be nobody's, and would be neither stored nor removed
 * ever: it goes to all of today's. */
static int sinks_drop(struct journal *j, const char *kept, struct err *e)
{
    struct buf sql = BUF_INIT(8192);
    int rc = -1;

    if (buf_putf(&sql,
                 "UPDATE sink SET active = 0 WHERE active AND id NOT IN (%s);"
                 "UPDATE folder SET settled = 0;"
                 "UPDATE message SET state = 1, stored_at = %" PRId64 ", tries = 0, reason = NULL WHERE state = 0"
                 " AND EXISTS (SELECT 1 FROM delivery d WHERE d.message = message.id AND d.state IN (2, 5))"
                 " AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.message = message.id AND d.state NOT IN (2, 5)"
                 "                 AND d.sink IN (%s));"
                 "INSERT INTO delivery (message, sink, state) SELECT m.id, s.id, 0 FROM message m JOIN sink s"
                 " WHERE s.active AND m.state IN (0, 3, 4) AND NOT EXISTS (SELECT 1 FROM delivery d"
                 "  WHERE d.message = m.id AND (d.state IN (2, 3, 5) OR d.sink IN (%s)));",
                 kept, clock_wall(), kept, kept) != 0) {
        err_nomem(e);
        goto out;
    }
    if (journal_begin(j, e) != 0)
        goto out;
    if (journal_exec(j, buf_cstr(&sql), e) != 0) {
        journal_rollback(j);
        goto out;
    }
    rc = journal_commit(j, e);
out:
    buf_release(&sql);
    return rc;
}

int journal_sinks_done(struct journal *j, struct err *e)
{
    struct buf kept = BUF_INIT(2048), sql = BUF_INIT(4096);
    int64_t others;
    int rc = -1;

    assert(!j->writing);
    if (sink_list(j, &kept) != 0 ||
        buf_putf(&sql, "SELECT count(*) FROM sink WHERE active AND id NOT IN (%s)", buf_cstr(&kept)) != 0) {
        err_nomem(e);
        goto out;
    }
    rc = journal_number(j, buf_cstr(&sql), &others, e);
    if (rc == 0 && others > 0 && !j->read_only)
        rc = sinks_drop(j, buf_cstr(&kept), e);
out:
    buf_release(&kept);
    buf_release(&sql);
    return rc;
}

int journal_sink_bind(struct journal *j, int64_t sink, const char *marker, struct err *e)
{
    sqlite3_stmt *st = NULL;
    bool own = !j->writing;
    int rc;

    if (own && journal_begin(j, e) != 0)
        return -1;
    rc = sqlite3_prepare_v2(j->db, "UPDATE sink SET marker = ?2 WHERE id = ?1", -1, &st, NULL);
    if (rc != SQLITE_OK) {
        rc = journal_err(j, rc, e);
    } else {
        j->bind_rc = SQLITE_OK;
        bind_int(j, st, 1, sink);
        bind_text(j, st, 2, marker);
        rc = journal_run(j, st, e);
        sqlite3_finalize(st);
    }
    if (own && rc == 0)
        return journal_commit(j, e);
    if (own)
        journal_rollback(j);
    return rc;
}
