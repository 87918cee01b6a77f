/* SPDX-License-Identifier: MIT */
#include "store/journal.h"

#include <assert.h>

#include "store/journal_int.h"

/* ---- reading ---- */

/* Appends a column to the row's bytes, which were reserved; NULL and empty give SLICE_NONE. */
static struct slice keep(struct buf *row, struct slice s)
{
    char *at = row->p + row->len;

    if (s.n == 0)
        return SLICE_NONE;
    memcpy(at, s.p, s.n);
    buf_grew(row, s.n);
    return slice_make(at, s.n);
}

int journal_message_read(struct journal *j, sqlite3_stmt *st, struct journal_message *out, struct slice *extra_out,
                         struct err *e)
{
    struct slice uidl = column_slice(st, 4), object_id = column_slice(st, 11), message_id = column_slice(st, 12);
    struct slice digest = column_slice(st, 14), reason = column_slice(st, 15);
    struct slice extra = extra_out != NULL ? column_slice(st, MESSAGE_COLUMN_COUNT) : SLICE_NONE;

    buf_clear(&j->row);
    if (buf_reserve(&j->row, uidl.n + object_id.n + message_id.n + reason.n + extra.n) != 0)
        return journal_err(j,
                           buf_full(&j->row, uidl.n + object_id.n + message_id.n + reason.n + extra.n) ? SQLITE_CORRUPT
                                                                                                       : SQLITE_NOMEM,
                           e);
    memset(out, 0, sizeof(*out));
    out->id = sqlite3_column_int64(st, 0);
    out->folder = sqlite3_column_int64(st, 1);
    out->uidvalidity = (uint32_t)sqlite3_column_int64(st, 2);
    out->uid = (uint32_t)sqlite3_column_int64(st, 3);
    out->uidl = keep(&j->row, uidl);
    out->octets = (uint64_t)sqlite3_column_int64(st, 5);
    out->state = (enum message_state)sqlite3_column_int(st, 6);
    out->tries = (unsigned)sqlite3_column_int64(st, 7);
    out->first_seen = sqlite3_column_int64(st, 8);
    out->stored_at = sqlite3_column_int64(st, 9);
    out->gone_at = sqlite3_column_int64(st, 10);
    out->object_id = keep(&j->row, object_id);
    out->message_id = keep(&j->row, message_id);
    out->date = sqlite3_column_int64(st, 13);
    out->has_header_digest = digest.n == sizeof(out->header_digest);
    if (out->has_header_digest)
        memcpy(out->header_digest, digest.p, digest.n);
    out->reason = keep(&j->row, reason);
    if (extra_out != NULL)
        *extra_out = keep(&j->row, extra);
    return 0;
}

static int find(struct journal *j, sqlite3_stmt *st, struct journal_message *out, bool *found_out, struct err *e)
{
    int rc = 0;

    if (journal_row(j, st, found_out, e) != 0)
        return -1;
    if (*found_out) {
        rc = journal_message_read(j, st, out, NULL, e);
        journal_done(st);
    }
    return rc;
}

int journal_find_uid(struct journal *j, int64_t folder, uint32_t uidvalidity, uint32_t uid, struct journal_message *out,
                     bool *found_out, struct err *e)
{
    sqlite3_stmt *st = journal_stmt(j, ST_FIND_UID,
                                    "SELECT " MESSAGE_COLUMNS " FROM message m INDEXED BY message_uid"
                                    " WHERE folder = ?1 AND uidvalidity = ?2 AND uid = ?3",
                                    e);

    *found_out = false;
    if (st == NULL)
        return -1;
    bind_int(j, st, 1, folder);
    bind_int(j, st, 2, uidvalidity);
    bind_int(j, st, 3, uid);
    return find(j, st, out, found_out, e);
}

int journal_find_uidl(struct journal *j, int64_t folder, struct slice uidl, struct journal_message *out,
                      bool *found_out, struct err *e)
{
    sqlite3_stmt *st = journal_stmt(j, ST_FIND_UIDL,
                                    "SELECT " MESSAGE_COLUMNS " FROM message m INDEXED BY message_uidl"
                                    " WHERE folder = ?1 AND uidl = ?2 ORDER BY id DESC LIMIT 1",
                                    e);

    *found_out = false;
    if (st == NULL)
        return -1;
    bind_int(j, st, 1, folder);
    bind_slice(j, st, 2, uidl);
    return find(j, st, out, found_out, e);
}

int journal_max_uid(struct journal *j, int64_t folder, uint32_t uidvalidity, uint32_t *out, struct err *e)
{
    sqlite3_stmt *st = journal_stmt(j, ST_MAX_UID,
                                    "SELECT max(uid) FROM message INDEXED BY message_uid"
                                    " WHERE folder = ?1 AND uidvalidity = ?2 AND uid IS NOT NULL",
                                    e);
    bool row;

    *out = 0;
    if (st == NULL)
        return -1;
    bind_int(j, st, 1, folder);
    bind_int(j, st, 2, uidvalidity);
    if (journal_row(j, st, &row, e) != 0)
        return -1;
    if (row)
        *out = (uint32_t)sqlite3_column_int64(st, 0);
    journal_done(st);
    return 0;
}

/* ---- walking ---- */

/* The parameters of all: ?1 folder, ?2 after_id, ?3 uidvalidity, ?4 before. */
#define WALK(index, where)                                                                                             \
    "SELECT " MESSAGE_COLUMNS " FROM message m INDEXED BY " index " WHERE folder = ?1 AND id > ?2 " where " ORDER BY " \
    "id"
static const char *const walks[] = {
    [WALK_ALL] = WALK("message_folder", ""),
    [WALK_PENDING] = WALK("message_pending", "AND state = 0 AND uidvalidity = ?3"),
    [WALK_SKIPPED] = WALK("message_skipped", "AND state = 3 AND uidvalidity = ?3"),
    [WALK_STORED] = WALK("message_folder", "AND state IN (1, 2) AND uidvalidity = ?3 AND stored_at <= ?4"),
    [WALK_OTHER_UIDVALIDITY] = WALK("message_folder", "AND uidvalidity <> ?3"),
};

static sqlite3_stmt *walk_stmt(struct journal *j)
{
    return j->stmts[ST_WALK_FIRST + (int)j->walk.query.walk];
}

/* From the row behind last_id. */
static int walk_run(struct journal *j, struct err *e)
{
    const struct journal_query *q = &j->walk.query;
    sqlite3_stmt *st = journal_stmt(j, (enum journal_slot)(ST_WALK_FIRST + (int)q->walk), walks[q->walk], e);
    int parameters;

    if (st == NULL)
        return -1;
    parameters = sqlite3_bind_parameter_count(st);
    bind_int(j, st, 1, q->folder);
    bind_int(j, st, 2, j->walk.last_id);
    if (parameters >= 3)
        bind_int(j, st, 3, q->uidvalidity);
    if (parameters >= 4)
        bind_int(j, st, 4, q->before);
    j->walk.running = true;
    return 0;
}

int journal_walk(struct journal *j, const struct journal_query *q, struct err *e)
{
    (void)e;
    journal_walk_end(j);
    j->walk.query = *q;
    j->walk.last_id = q->after_id;
    j->walk.on = true;
    return 0;
}

int journal_walk_next(struct journal *j, struct journal_message *out, bool *found_out, struct err *e)
{
    int rc;

    *found_out = false;
    if (!j->walk.on)
        return 0;
    if (!j->walk.running && walk_run(j, e) != 0)
        return -1;
    rc = journal_row(j, walk_stmt(j), found_out, e);
    if (rc == 0 && *found_out)
        rc = journal_message_read(j, walk_stmt(j), out, NULL, e);
    if (rc != 0 || !*found_out)
        journal_walk_end(j);
    else
        j->walk.last_id = out->id;
    return rc;
}

void journal_walk_pause(struct journal *j)
{
    if (j->walk.running)
        journal_done(walk_stmt(j));
    j->walk.running = false;
}

void journal_walk_end(struct journal *j)
{
    journal_walk_pause(j);
    j->walk.on = false;
}

int journal_each(struct journal *j, const struct journal_query *q, journal_row_fn *fn, void *ctx, struct err *e)
{
    struct journal_message row;
    bool found = true;
    int rc = journal_walk(j, q, e);

    while (rc == 0 && found) {
        rc = journal_walk_next(j, &row, &found, e);
        if (rc == 0 && found)
            rc = fn(ctx, &row, e);
    }
    journal_walk_end(j);
    return rc;
}

/* ---- writing ---- */

static void bind_facts(struct journal *j, sqlite3_stmt *st, const struct journal_message *m)
{
    bind_int(j, st, 1, m->folder);
    bind_int(j, st, 2, m->uidvalidity);
    bind_int_or_null(j, st, 3, m->uid);
    bind_slice_or_null(j, st, 4, m->uidl);
    bind_int(j, st, 5, (int64_t)m->octets);
    bind_int(j, st, 6, (int64_t)m->state);
    bind_int(j, st, 7, m->tries);
    bind_int(j, st, 8, m->first_seen);
    bind_int(j, st, 9, m->stored_at);
    bind_int(j, st, 10, m->gone_at);
    bind_slice_or_null(j, st, 11, m->object_id);
    bind_slice_or_null(j, st, 12, m->message_id);
    bind_int(j, st, 13, m->date);
    bind_slice_or_null(j, st, 14,
                       m->has_header_digest ? slice_make((const char *)m->header_digest, sizeof(m->header_digest))
                                            : SLICE_NONE);
    bind_slice_or_null(j, st, 15, m->reason);
}

static int insert_deliveries(struct journal *j, int64_t message, struct err *e)
{
    for (size_t i = 0; i < j->sink_count; i++) {
        sqlite3_stmt *st =
            journal_stmt(j, ST_DELIVERY_INSERT, "INSERT INTO delivery (message, sink, state) VALUES (?1, ?2, 0)", e);
        if (st == NULL)
            return -1;
        bind_int(j, st, 1, message);
        bind_int(j, st, 2, j->sinks[i].id);
        if (journal_run(j, st, e) != 0)
            return -1;
    }
    return 0;
}

int journal_message_put(struct journal *j, struct journal_message *m, struct err *e)
{
    sqlite3_stmt *st;

    assert(j->writing);
    journal_walk_pause(j);
    if (m->id == 0)
        st = journal_stmt(j, ST_MESSAGE_INSERT,
                          "INSERT INTO message VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,"
                          " ?14, ?15)",
                          e);
    else
        st = journal_stmt(j, ST_MESSAGE_UPDATE,
                          "UPDATE message SET folder = ?1, uidvalidity = ?2, uid = ?3, uidl = ?4, octets = ?5,"
                          " state = ?6, tries = ?7, stored_at = ?9, gone_at = ?10, object_id = ?11,"
                          " message_id = ?12, date = ?13, header_digest = ?14, reason = ?15 WHERE id = ?16",
                          e);
    if (st == NULL)
        return -1;
    bind_facts(j, st, m);
    if (m->id != 0)
        bind_int(j, st, 16, m->id);
    if (journal_run(j, st, e) != 0)
        return -1;
    if (m->id != 0)
        return 0;
    m->id = sqlite3_last_insert_rowid(j->db);
    return insert_deliveries(j, m->id, e);
}

/* One statement about the row ?1, with up to two more numbers. */
static int change(struct journal *j, enum journal_slot slot, const char *sql, int64_t first, int64_t second,
                  int64_t third, struct err *e)
{
    sqlite3_stmt *st;
    int parameters;

    assert(j->writing);
    journal_walk_pause(j);
    st = journal_stmt(j, slot, sql, e);
    if (st == NULL)
        return -1;
    parameters = sqlite3_bind_parameter_count(st);
    bind_int(j, st, 1, first);
    if (parameters >= 2)
        bind_int(j, st, 2, second);
    if (parameters >= 3)
        bind_int(j, st, 3, third);
    return journal_run(j, st, e);
}

int journal_message_move(struct journal *j, int64_t message, uint32_t uidvalidity, uint32_t uid, struct err *e)
{
    return change(j, ST_MESSAGE_MOVE, "UPDATE message SET uidvalidity = ?2, uid = ?3 WHERE id = ?1", message,
                  uidvalidity, uid, e);
}

int journal_message_resize(struct journal *j, int64_t message, uint64_t octets, struct err *e)
{
    return change(j, ST_MESSAGE_RESIZE, "UPDATE message SET octets = ?2 WHERE id = ?1", message, (int64_t)octets, 0, e);
}

int journal_message_gone(struct journal *j, int64_t message, int64_t gone_at, struct err *e)
{
    return change(j, ST_MESSAGE_GONE, "UPDATE message SET gone_at = ?2 WHERE id = ?1", message, gone_at, 0, e);
}

int journal_message_marked(struct journal *j, int64_t message, struct err *e)
{
    return change(j, ST_MESSAGE_MARKED, "UPDATE message SET state = 2 WHERE id = ?1", message, 0, 0, e);
}

int journal_message_tried(struct journal *j, int64_t message, enum message_state state, unsigned tries,
                          struct slice reason, struct err *e)
{
    sqlite3_stmt *st;

    assert(j->writing && (state == MESSAGE_PENDING || state == MESSAGE_QUARANTINED));
    journal_walk_pause(j);
    st = journal_stmt(j, ST_MESSAGE_TRIED,
                      "UPDATE message SET state = ?2, tries = ?3, reason = ?4 WHERE id = ?1 AND state = 0", e);
    if (st == NULL)
        return -1;
    bind_int(j, st, 1, message);
    bind_int(j, st, 2, (int64_t)state);
    bind_int(j, st, 3, tries);
    bind_slice_or_null(j, st, 4, reason);
    return journal_run(j, st, e);
}

int journal_message_delete(struct journal *j, int64_t message, struct err *e)
{
    if (change(j, ST_MESSAGE_DELETE_DELIVERIES, "DELETE FROM delivery WHERE message = ?1", message, 0, 0, e) != 0)
        return -1;
    return change(j, ST_MESSAGE_DELETE, "DELETE FROM message WHERE id = ?1", message, 0, 0, e);
}

int journal_prune_gone(struct journal *j, int64_t folder, int64_t limit, struct err *e)
{
    if (change(j, ST_PRUNE_DELIVERIES,
               "DELETE FROM delivery WHERE message IN (SELECT id FROM message INDEXED BY message_gone"
               " WHERE folder = ?1 AND gone_at > 0 AND gone_at < ?2)",
               folder, limit, 0, e) != 0)
        return -1;
    return change(j, ST_PRUNE_MESSAGES,
                  "DELETE FROM message INDEXED BY message_gone WHERE folder = ?1 AND gone_at > 0 AND gone_at < ?2",
                  folder, limit, 0, e);
}
