/* SPDX-License-Identifier: MIT */
#include "store/journal.h"

#include <assert.h>

#include "store/journal_int.h"

int journal_folder_get(struct journal *j, struct slice name, struct journal_folder *out, struct err *e)
{
    sqlite3_stmt *st = journal_stmt(j, ST_FOLDER_GET,
                                    "SELECT id, uidvalidity, uidnext, messages, modseq, octets, listing, settled,"
                                    " oldest_kept, smallest_skipped, delimiter FROM folder WHERE name = ?1",
                                    e);
    struct slice listing;
    bool row;

    memset(out, 0, sizeof(*out));
    if (st == NULL)
        return -1;
    bind_slice(j, st, 1, name);
    if (journal_row(j, st, &row, e) != 0)
        return -1;
    if (!row)
        return 0;
    out->id = sqlite3_column_int64(st, 0);
    out->uidvalidity = (uint32_t)sqlite3_column_int64(st, 1);
    out->uidnext = (uint32_t)sqlite3_column_int64(st, 2);
    out->messages = (uint32_t)sqlite3_column_int64(st, 3);
    out->modseq = (uint64_t)sqlite3_column_int64(st, 4);
    out->octets = (uint64_t)sqlite3_column_int64(st, 5);
    listing = column_slice(st, 6);
    if (listing.n == sizeof(out->listing))
        memcpy(out->listing, listing.p, listing.n);
    out->settled = sqlite3_column_int(st, 7) != 0;
    out->oldest_kept = sqlite3_column_int64(st, 8);
    out->smallest_skipped = (uint64_t)sqlite3_column_int64(st, 9);
    out->delimiter = (char)sqlite3_column_int(st, 10);
    journal_done(st);
    return 0;
}

int journal_folder_put(struct journal *j, struct slice name, struct journal_folder *f, struct err *e)
{
    sqlite3_stmt *st;

    assert(j->writing);
    journal_walk_pause(j);
    if (f->id == 0)
        st = journal_stmt(j, ST_FOLDER_INSERT,
                          "INSERT INTO folder VALUES (NULL, ?1, ?11, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)", e);
    else
        st = journal_stmt(j, ST_FOLDER_UPDATE,
                          "UPDATE folder SET name = ?1, uidvalidity = ?2, uidnext = ?3, messages = ?4, modseq = ?5,"
                          " octets = ?6, listing = ?7, settled = ?8, oldest_kept = ?9, smallest_skipped = ?10,"
                          " delimiter = ?11 WHERE id = ?12",
                          e);
    if (st == NULL)
        return -1;
    bind_slice(j, st, 1, name);
    bind_int(j, st, 2, f->uidvalidity);
    bind_int(j, st, 3, f->uidnext);
    bind_int(j, st, 4, f->messages);
    bind_int(j, st, 5, (int64_t)f->modseq);
    bind_int(j, st, 6, (int64_t)f->octets);
    bind_slice(j, st, 7, slice_make((const char *)f->listing, sizeof(f->listing)));
    bind_int(j, st, 8, f->settled);
    bind_int(j, st, 9, f->oldest_kept);
    bind_int(j, st, 10, (int64_t)f->smallest_skipped);
    bind_int(j, st, 11, (unsigned char)f->delimiter);
    if (f->id != 0)
        bind_int(j, st, 12, f->id);
    if (journal_run(j, st, e) != 0)
        return -1;
    if (f->id == 0)
        f->id = sqlite3_last_insert_rowid(j->db);
    return 0;
}

static int folder_number(struct journal *j, sqlite3_stmt *st, int64_t folder, int64_t *out, struct err *e)
{
    bool row;

    *out = 0;
    if (st == NULL)
        return -1;
    bind_int(j, st, 1, folder);
    if (journal_row(j, st, &row, e) != 0)
        return -1;
    if (row)
        *out = sqlite3_column_int64(st, 0);
    journal_done(st);
    return 0;
}

int journal_folder_sums(struct journal *j, int64_t folder, int64_t *oldest_kept_out, uint64_t *smallest_skipped_out,
                        struct err *e)
{
    sqlite3_stmt *oldest, *smallest;
    int64_t octets;

    oldest = journal_stmt(j, ST_FOLDER_OLDEST,
                          "SELECT min(stored_at) FROM message INDEXED BY message_folder"
                          " WHERE folder = ?1 AND state = 1 AND gone_at = 0",
                          e);
    if (folder_number(j, oldest, folder, oldest_kept_out, e) != 0)
        return -1;
    smallest =
        journal_stmt(j, ST_FOLDER_SMALLEST,
                     "SELECT min(octets) FROM message INDEXED BY message_skipped WHERE folder = ?1 AND state = 3", e);
    if (folder_number(j, smallest, folder, &octets, e) != 0)
        return -1;
    *smallest_skipped_out = (uint64_t)octets;
    return 0;
}

int journal_unsettle_folder_of(struct journal *j, int64_t message, struct err *e)
{
    sqlite3_stmt *st;

    assert(j->writing);
    st = journal_stmt(j, ST_FOLDER_UNSETTLE,
                      "UPDATE folder SET settled = 0 WHERE settled AND id = (SELECT folder FROM message WHERE id = ?1)",
                      e);
    if (st == NULL)
        return -1;
    bind_int(j, st, 1, message);
    return journal_run(j, st, e);
}
