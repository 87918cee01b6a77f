/* SPDX-License-Identifier: MIT */
#include "store/journal.h"

#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/step.h"
#include "store/disk_int.h"
#include "store/journal_int.h"

/* How long a commit waits for another program that has the file locked (somebody's backup, sqlite3 by hand). */
enum { BUSY_MS = 2000, PATH_LEN_MAX = 16384, NOTE_MAX = 64 * 1024 };

const char *journal_library(void)
{
    return sqlite3_libversion();
}

/* ---- what every query is made of ---- */

/* Why reading or writing failed. SQLite keeps it for some calls only; else errno still has it, unless it holds what a
 * look for some other file left behind. */
static int io_errnum(struct journal *j, int current)
{
    static const int causes[] = { ENOSPC, EDQUOT, EFBIG, EROFS, EACCES, EPERM, ESTALE, ENOMEM };
    int errnum = sqlite3_system_errno(j->db);

    for (size_t i = 0; i < ARRAY_LEN(causes); i++) {
        if (errnum == causes[i] || (errnum == 0 && current == causes[i]))
            return causes[i];
    }
    return EIO;
}

int journal_err(struct journal *j, int rc, struct err *e)
{
    int current = errno, errnum = sqlite3_system_errno(j->db);

    switch (rc & 0xff) {
    case SQLITE_NOMEM:
        return err_nomem(e);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return err_set(e, E_LOCKED, "%s: another program keeps it locked", j->path);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        err_set(e, E_DISK,
                "%s is damaged; nothing was removed from any server. Put back a copy of it, or move it away: then all "
                "that is still on the server is fetched again",
                j->path);
        return err_retry(e, RETRY_NEVER);
    case SQLITE_FULL:
        return disk_err(e, ENOSPC, "%s", j->path);
    case SQLITE_READONLY:
        return disk_err(e, errnum == EROFS ? EROFS : EACCES, "%s", j->path);
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return disk_err(e, EACCES, "%s", j->path);
    case SQLITE_IOERR:
        if (rc == SQLITE_IOERR_FSYNC || rc == SQLITE_IOERR_DIR_FSYNC)
            j->broken = true;
        return disk_err(e, io_errnum(j, current), "%s", j->path);
    case SQLITE_CANTOPEN:
        return disk_err(e, errnum != 0 ? errnum : ENOENT, "%s", j->path);
    default:
        return err_set(e, E_DISK, "%s: %s", j->path, sqlite3_errmsg(j->db));
    }
}

int journal_exec(struct journal *j, const char *sql, struct err *e)
{
    int rc;

    errno = 0;
    rc = sqlite3_exec(j->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : journal_err(j, sqlite3_extended_errcode(j->db), e);
}

int journal_number(struct journal *j, const char *sql, int64_t *out, struct err *e)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(j->db, sql, -1, &st, NULL);

    *out = 0;
    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    if (rc == SQLITE_ROW)
        *out = sqlite3_column_int64(st, 0);
    else if (rc != SQLITE_DONE)
        journal_err(j, sqlite3_extended_errcode(j->db), e);
    sqlite3_finalize(st);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : -1;
}

sqlite3_stmt *journal_stmt(struct journal *j, enum journal_slot slot, const char *sql, struct err *e)
{
    sqlite3_stmt **st = &j->stmts[slot];

    j->bind_rc = SQLITE_OK;
    if (*st == NULL && sqlite3_prepare_v3(j->db, sql, -1, SQLITE_PREPARE_PERSISTENT, st, NULL) != SQLITE_OK) {
        journal_err(j, sqlite3_extended_errcode(j->db), e);
        return NULL;
    }
    return *st;
}

int journal_row(struct journal *j, sqlite3_stmt *st, bool *row_out, struct err *e)
{
    int rc = j->bind_rc;

    j->bind_rc = SQLITE_OK;
    errno = 0;
    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    *row_out = rc == SQLITE_ROW;
    if (rc == SQLITE_ROW)
        return 0;
    if (rc != SQLITE_DONE)
        journal_err(j, rc, e);
    journal_done(st);
    return rc == SQLITE_DONE ? 0 : -1;
}

int journal_run(struct journal *j, sqlite3_stmt *st, struct err *e)
{
    bool row;

    if (journal_row(j, st, &row, e) != 0)
        return -1;
    journal_done(st);
    return 0;
}

void journal_done(sqlite3_stmt *st)
{
    sqlite3_reset(st);
}

static void bound(struct journal *j, int rc)
{
    if (j->bind_rc == SQLITE_OK)
        j->bind_rc = rc;
}

void bind_int(struct journal *j, sqlite3_stmt *st, int column, int64_t value)
{
    bound(j, sqlite3_bind_int64(st, column, value));
}

void bind_int_or_null(struct journal *j, sqlite3_stmt *st, int column, int64_t value)
{
    bound(j, value != 0 ? sqlite3_bind_int64(st, column, value) : sqlite3_bind_null(st, column));
}

void bind_text(struct journal *j, sqlite3_stmt *st, int column, const char *text)
{
    bound(j, sqlite3_bind_text(st, column, text, -1, SQLITE_STATIC));
}

void bind_slice(struct journal *j, sqlite3_stmt *st, int column, struct slice s)
{
    bound(j, sqlite3_bind_blob64(st, column, s.n > 0 ? s.p : "", s.n, SQLITE_STATIC));
}

void bind_slice_or_null(struct journal *j, sqlite3_stmt *st, int column, struct slice s)
{
    if (s.n > 0)
        bind_slice(j, st, column, s);
    else
        bound(j, sqlite3_bind_null(st, column));
}

struct slice column_slice(sqlite3_stmt *st, int column)
{
    const char *p = sqlite3_column_blob(st, column);

    return p != NULL ? slice_make(p, (size_t)sqlite3_column_bytes(st, column)) : SLICE_NONE;
}

/* ---- open and close ---- */

/* SQLite takes 20 pages for each connection before it needs the first: with a hundred journals open that is 8 MB for
 * nothing. Only before its first use can it be told otherwise; later calls change nothing. */
static void configure_sqlite(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 4);
}

/* The schema into a file that nobody uses yet; no flush, and nothing is left beside it. */
static int fill_new(struct journal *j, const char *path, struct err *e)
{
    int rc = sqlite3_open_v2(path, &j->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

    if (rc != SQLITE_OK)
        return journal_err(j, rc, e);
    sqlite3_extended_result_codes(j->db, 1);
    if (journal_exec(j, "PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY", e) != 0 ||
        journal_schema_make(j, e) != 0 || journal_exec(j, "PRAGMA journal_mode = WAL", e) != 0)
        return -1;
    rc = sqlite3_close(j->db);
    j->db = NULL;
    return rc == SQLITE_OK ? 0 : journal_err(j, rc, e);
}

/* A new journal is made aside and appears whole: that takes two flushes where SQLite in the file itself would take
 * eight. Its mode is the user's alone, and SQLite gives the same to the files that it makes beside it. (The caller
 * holds the account's lock, so that nobody else makes one.) */
static int make_file(struct journal *j, int dirfd, const char *dir_path, const char *name, struct err *e)
{
    struct buf aside = BUF_INIT(PATH_LEN_MAX);
    const char *aside_name;
    struct stat sb;
    int fd = -1, rc = -1;

    if (fstatat(dirfd, name, &sb, AT_SYMLINK_NOFOLLOW) == 0)
        return 0;
    if (buf_putf(&aside, "%s/.%s.new", dir_path, name) != 0)
        return err_nomem(e);
    aside_name = buf_cstr(&aside) + strlen(dir_path) + 1;
    unlinkat(dirfd, aside_name, 0);
    fd = openat(dirfd, aside_name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        disk_err(e, errno, "%s", j->path);
        goto out;
    }
    if (fill_new(j, buf_cstr(&aside), e) != 0)
        goto out;
    if (fsync(fd) != 0 || renameat(dirfd, aside_name, dirfd, name) != 0) {
        disk_err(e, errno, "%s", j->path);
        goto out;
    }
    /* Nothing is in it yet, and the next run would not know that its entry may not last. */
    if (disk_sync_dir(dirfd) != 0) {
        disk_err(e, errno, "%s", j->path);
        unlinkat(dirfd, name, 0);
        goto out;
    }
    step("journal.made");
    rc = 0;
out:
    if (rc != 0)
        unlinkat(dirfd, aside_name, 0);
    io_close(&fd);
    buf_release(&aside);
    return rc;
}

/* The path as SQLite's URI. Without a WAL beside it nobody is writing, and `immutable` then keeps SQLite from making
 * its two helper files just to read. */
static int read_only_uri(struct journal *j, bool immutable, struct buf *out)
{
    if (buf_put_str(out, "file:") != 0)
        return -1;
    for (const char *p = j->path; *p != '\0'; p++) {
        if (strchr("%?#", *p) != NULL ? buf_putf(out, "%%%02X", (unsigned char)*p) : buf_put_char(out, *p))
            return -1;
    }
    return buf_put_str(out, immutable ? "?mode=ro&immutable=1" : "?mode=ro");
}

static int open_read_only(struct journal *j, int dirfd, const char *name, bool *missing_out, struct err *e)
{
    struct buf text = BUF_INIT(PATH_LEN_MAX);
    struct stat sb;
    int rc = SQLITE_NOMEM;

    *missing_out = fstatat(dirfd, name, &sb, 0) != 0 && errno == ENOENT;
    if (*missing_out)
        return 0;
    if (buf_putf(&text, "%s-wal", name) != 0)
        goto out;
    bool wal = fstatat(dirfd, buf_cstr(&text), &sb, 0) == 0;
    buf_clear(&text);
    if (read_only_uri(j, !wal, &text) != 0)
        goto out;
    rc = sqlite3_open_v2(buf_cstr(&text), &j->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);
out:
    buf_release(&text);
    return rc == SQLITE_OK ? 0 : journal_err(j, rc, e);
}

static int open_in_memory(struct journal *j, struct err *e)
{
    int rc;

    sqlite3_close(j->db);
    j->db = NULL;
    rc = sqlite3_open_v2(":memory:", &j->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK)
        return journal_err(j, rc, e);
    sqlite3_extended_result_codes(j->db, 1);
    return journal_schema_make(j, e);
}

/* A page cache of 384 KiB holds the upper pages of every index of 100,000 messages. No mmap: a truncated file would
 * be a SIGBUS instead of an error. FULL is what makes a commit durable when it returns. */
static int settings(struct journal *j, struct err *e)
{
    sqlite3_extended_result_codes(j->db, 1);
    sqlite3_busy_timeout(j->db, BUSY_MS);
    return journal_exec(j,
                        "PRAGMA cache_size = -384; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;"
                        "PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF",
                        e);
}

static int use_wal(struct journal *j, struct err *e)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(j->db, "PRAGMA journal_mode = WAL", -1, &st, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    if (rc != SQLITE_ROW)
        journal_err(j, sqlite3_extended_errcode(j->db), e);
    else if (!slice_ieq(column_slice(st, 0), SLICE("wal")))
        rc = err_set(e, E_DISK, "%s: the file system cannot hold it (no shared memory); set state_dir to a local disk",
                     j->path);
    sqlite3_finalize(st);
    return rc == SQLITE_ROW ? 0 : -1;
}

static int open_writable(struct journal *j, int dirfd, const char *dir_path, const char *name, struct err *e)
{
    bool empty;
    int rc;

    disk_warn_network(dirfd, j->path);
    if (make_file(j, dirfd, dir_path, name, e) != 0)
        return -1;
    rc = sqlite3_open_v2(j->path, &j->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK)
        return journal_err(j, rc, e);
    /* SQLite makes do with reading, and says so only when something is to be written. */
    if (sqlite3_db_readonly(j->db, "main") == 1)
        return disk_err(e, faccessat(dirfd, name, W_OK, AT_EACCESS) != 0 ? errno : EACCES, "%s", j->path);
    return settings(j, e) != 0 || use_wal(j, e) != 0 ? -1 : journal_schema(j, &empty, e);
}

static int open_for_reading(struct journal *j, int dirfd, const char *name, struct err *e)
{
    bool empty;

    if (dirfd < 0)
        return open_in_memory(j, e);
    if (open_read_only(j, dirfd, name, &empty, e) != 0)
        return -1;
    if (!empty && (settings(j, e) != 0 || journal_schema(j, &empty, e) != 0))
        return -1;
    return empty ? open_in_memory(j, e) : 0;
}

static pthread_once_t configured = PTHREAD_ONCE_INIT;

int journal_open(int dirfd, const char *dir_path, const char *name, bool read_only, struct journal **out, struct err *e)
{
    struct buf path = BUF_INIT(PATH_LEN_MAX);
    struct journal *j = calloc(1, sizeof(*j));

    *out = NULL;
    pthread_once(&configured, configure_sqlite);
    if (j == NULL || buf_putf(&path, "%s/%s", dir_path, name) != 0 || (j->path = slice_dup(buf_slice(&path))) == NULL) {
        err_nomem(e);
        goto fail;
    }
    j->read_only = read_only;
    buf_init(&j->row, JOURNAL_ROW_MAX);
    if ((read_only ? open_for_reading(j, dirfd, name, e) : open_writable(j, dirfd, dir_path, name, e)) != 0)
        goto fail;
    buf_release(&path);
    *out = j;
    return 0;
fail:
    buf_release(&path);
    journal_close(&j);
    return -1;
}

void journal_close(struct journal **journal)
{
    struct journal *j = *journal;

    *journal = NULL;
    if (j == NULL)
        return;
    if (j->db != NULL) {
        journal_rollback(j);
        for (size_t i = 0; i < ARRAY_LEN(j->stmts); i++)
            sqlite3_finalize(j->stmts[i]);
        if (j->broken)
            sqlite3_db_config(j->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
        sqlite3_close(j->db);
    }
    buf_release(&j->row);
    free(j->path);
    free(j);
}

const char *journal_tag(const struct journal *j)
{
    return j->tag;
}

/* ---- transactions ---- */

/* Only between transactions can it be changed. */
static int set_light(struct journal *j, bool light, struct err *e)
{
    if (j->light == light)
        return 0;
    if (journal_exec(j, light ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL", e) != 0)
        return -1;
    j->light = light;
    return 0;
}

static int begin(struct journal *j, bool light, struct err *e)
{
    sqlite3_stmt *st;

    assert(!j->writing && !j->read_only);
    if (j->broken)
        return disk_err(e, EIO, "%s", j->path);
    journal_walk_pause(j);
    if (set_light(j, light, e) != 0)
        return -1;
    st = journal_stmt(j, ST_BEGIN, "BEGIN IMMEDIATE", e);
    if (st == NULL || journal_run(j, st, e) != 0)
        return -1;
    j->writing = true;
    return 0;
}

int journal_begin(struct journal *j, struct err *e)
{
    return begin(j, false, e);
}

int journal_begin_light(struct journal *j, struct err *e)
{
    return begin(j, true, e);
}

/* SQLite flushes what a transaction has written. One that finds all as it should be, because light commits have written
 * it already, writes nothing, and must make those durable all the same. */
static int flush_light(struct journal *j, struct err *e)
{
    sqlite3_file *wal = NULL;
    int rc;

    if (j->light || !j->unflushed)
        return 0;
    rc = sqlite3_file_control(j->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal);
    if (rc == SQLITE_OK && wal != NULL && wal->pMethods != NULL)
        rc = wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
    if (rc == SQLITE_OK) {
        j->unflushed = false;
        return 0;
    }
    j->broken = true;
    return disk_err(e, EIO, "%s", j->path);
}

int journal_commit(struct journal *j, struct err *e)
{
    sqlite3_stmt *st;

    assert(j->writing);
    journal_walk_pause(j);
    st = journal_stmt(j, ST_COMMIT, "COMMIT", e);
    if (st == NULL || journal_run(j, st, e) != 0) {
        journal_rollback(j);
        return -1;
    }
    j->writing = false;
    j->unflushed |= j->light;
    if (flush_light(j, e) != 0)
        return -1;
    if (!j->light)
        step("journal.commit");
    return 0;
}

void journal_rollback(struct journal *j)
{
    struct err ignored;
    sqlite3_stmt *st;

    if (!j->writing)
        return;
    j->writing = false;
    for (size_t i = 0; i < j->sink_count; i++)
        j->sinks[i].used = false;
    journal_walk_pause(j);
    /* After some errors SQLite has rolled back by itself. */
    if (sqlite3_get_autocommit(j->db))
        return;
    st = journal_stmt(j, ST_ROLLBACK, "ROLLBACK", &ignored);
    if (st == NULL || journal_run(j, st, &ignored) != 0)
        sqlite3_exec(j->db, "ROLLBACK", NULL, NULL, NULL);
}

/* ---- notes ---- */

int journal_note_get(struct journal *j, const char *key, struct buf *out, struct err *e)
{
    sqlite3_stmt *st = journal_stmt(j, ST_NOTE_GET, "SELECT value FROM note WHERE key = ?1", e);
    bool row;
    int rc = 0;

    buf_clear(out);
    if (st == NULL)
        return -1;
    bind_text(j, st, 1, key);
    if (journal_row(j, st, &row, e) != 0)
        return -1;
    if (row && buf_put_slice(out, column_slice(st, 0)) != 0)
        rc = err_nomem(e);
    journal_done(st);
    return rc;
}

int journal_note_put(struct journal *j, const char *key, const char *value, struct err *e)
{
    sqlite3_stmt *st = journal_stmt(
        j, ST_NOTE_PUT, "INSERT INTO note VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2 WHERE value <> ?2",
        e);

    assert(j->writing);
    if (st == NULL)
        return -1;
    bind_text(j, st, 1, key);
    bind_text(j, st, 2, value);
    return journal_run(j, st, e);
}
