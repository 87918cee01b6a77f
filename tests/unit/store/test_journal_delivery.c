/* SPDX-License-Identifier: MIT
 * What the journal knows of one message at one destination: states, names, recipients, doubt; the commit that costs no
 * flush; and a file of the first schema version.
 */
#include "store/journal.h"

#include "store/journal_int.h"
#include "store_test.h"

#include <sys/syscall.h>

static struct err e;
static struct journal *j;
static unsigned flushes;
static bool flushes_fail;

/* In front of libc's, for SQLite too. */
int fdatasync(int fd)
{
    flushes++;
    if (flushes_fail) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

static struct journal_sink sink_a, sink_b;
static int64_t message;

static void reopen(void)
{
    journal_close(&j);
    OK(journal_open(box_fd, box, "a.db", false, &j, &e));
    OK(journal_sink(j, "a", "lmtp", &sink_a, &e));
    OK(journal_sink(j, "b", "smtp", &sink_b, &e));
    OK(journal_sinks_done(j, &e));
}

/* One message, STAGED at both destinations, in a transaction that stays open. */
static void staged(void)
{
    struct journal_folder f = { .delimiter = '/' };
    struct journal_message m = { .uidvalidity = 7, .uid = 1, .state = MESSAGE_PENDING };

    reopen();
    OK(journal_begin(j, &e));
    OK(journal_folder_put(j, SLICE("INBOX"), &f, &e));
    m.folder = f.id;
    OK(journal_message_put(j, &m, &e));
    message = m.id;
    OK(journal_stage(j, message, sink_a.id, "first", &e));
    OK(journal_stage(j, message, sink_b.id, "second", &e));
}

static int end(void **state)
{
    journal_close(&j);
    return box_remove(state);
}

static void is(int64_t sink, enum delivery_state want, const char *want_name, struct slice want_done)
{
    struct buf done = BUF_INIT(1000);
    enum delivery_state got;
    char name[20];

    OK(journal_delivery_get(j, message, sink, &got, name, sizeof(name), &done, &e));
    CHECK_INT(got, want);
    CHECK_SLICE(slice_str(name), slice_str(want_name));
    CHECK_SLICE(buf_slice(&done), want_done);
    buf_release(&done);
}

static uint64_t missing(void)
{
    const int64_t sinks[] = { sink_a.id, sink_b.id };
    uint64_t bits;

    OK(journal_missing(j, message, sinks, ARRAY_LEN(sinks), &bits, &e));
    return bits;
}

static bool settle(void)
{
    bool stored;

    OK(journal_settle_message(j, message, 50, &stored, &e));
    return stored;
}

static struct journal_message row(void)
{
    struct journal_message m = { 0 };
    struct journal_folder f;
    bool found;

    OK(journal_folder_get(j, SLICE("INBOX"), &f, &e));
    OK(journal_find_uid(j, f.id, 7, 1, &m, &found, &e));
    CHECK(found);
    return m;
}

static void test_names(void **state)
{
    (void)state;
    staged();
    CASE("staged");
    is(sink_a.id, DELIVERY_STAGED, "first", SLICE_NONE);
    CASE("in doubt, under the same name");
    OK(journal_delivery(j, message, sink_a.id, DELIVERY_IN_DOUBT, NULL, &e));
    is(sink_a.id, DELIVERY_IN_DOUBT, "first", SLICE_NONE);
    CHECK_INT(missing(), 3);
    CASE("delivered, and called something else there");
    OK(journal_delivery(j, message, sink_a.id, DELIVERY_DELIVERED, "17.4711", &e));
    is(sink_a.id, DELIVERY_DELIVERED, "17.4711", SLICE_NONE);
    CASE("wanted has no name");
    OK(journal_delivery(j, message, sink_b.id, DELIVERY_WANTED, "other", &e));
    is(sink_b.id, DELIVERY_WANTED, "", SLICE_NONE);
    CASE("nobody's");
    is(99, DELIVERY_WANTED, "", SLICE_NONE);
    FAILS(journal_delivery(j, message, 99, DELIVERY_DELIVERED, NULL, &e), E_DISK, "not meant for");
    journal_rollback(j);
}

static void test_recipients(void **state)
{
    const struct slice one = SLICE("one@x\0"), both = SLICE("one@x\0two@x\0");

    (void)state;
    staged();
    CASE("kept over states and passes");
    OK(journal_recipients(j, message, sink_a.id, one, &e));
    OK(journal_delivery(j, message, sink_a.id, DELIVERY_WANTED, NULL, &e));
    OK(journal_recipients(j, message, sink_a.id, both, &e));
    OK(journal_delivery(j, message, sink_a.id, DELIVERY_IN_DOUBT, NULL, &e));
    OK(journal_recipients(j, message, sink_b.id, one, &e));
    OK(journal_commit(j, &e));
    reopen();
    is(sink_a.id, DELIVERY_IN_DOUBT, "", both);
    is(sink_b.id, DELIVERY_STAGED, "second", one);
    CASE("forgotten when it is done");
    OK(journal_begin(j, &e));
    OK(journal_delivery(j, message, sink_a.id, DELIVERY_DELIVERED, NULL, &e));
    OK(journal_delivery(j, message, sink_b.id, DELIVERY_DROPPED, NULL, &e));
    is(sink_a.id, DELIVERY_DELIVERED, "", SLICE_NONE);
    is(sink_b.id, DELIVERY_DROPPED, "second", SLICE_NONE);
    OK(journal_commit(j, &e));
}

static void test_dropped_is_done(void **state)
{
    (void)state;
    staged();
    CASE("not of one alone");
    OK(journal_delivery(j, message, sink_a.id, DELIVERY_DROPPED, NULL, &e));
    CHECK_INT(missing(), 2);
    CHECK(!settle());
    CASE("rejected is not done");
    OK(journal_delivery(j, message, sink_b.id, DELIVERY_REJECTED, NULL, &e));
    CHECK_INT(missing(), 2);
    CHECK(!settle());
    CASE("dropped by all");
    OK(journal_delivery(j, message, sink_b.id, DELIVERY_DROPPED, NULL, &e));
    CHECK_INT(missing(), 0);
    CHECK(settle());
    CHECK_INT(row().state, MESSAGE_STORED);
    OK(journal_commit(j, &e));
}

static void test_dropped_by_who_is_left(void **state)
{
    (void)state;
    staged();
    CASE("the other destination is not in the configuration any more");
    OK(journal_delivery(j, message, sink_a.id, DELIVERY_DROPPED, NULL, &e));
    OK(journal_commit(j, &e));
    journal_close(&j);
    OK(journal_open(box_fd, box, "a.db", false, &j, &e));
    OK(journal_sink(j, "a", "lmtp", &sink_a, &e));
    OK(journal_sinks_done(j, &e));
    CHECK_INT(row().state, MESSAGE_STORED);
}

static void test_tried(void **state)
{
    (void)state;
    staged();
    CASE("one more try");
    OK(journal_message_tried(j, message, MESSAGE_PENDING, 2, SLICE("451 later"), &e));
    CHECK_INT(row().state, MESSAGE_PENDING);
    CHECK_INT(row().tries, 2);
    CHECK_SLICE(row().reason, SLICE("451 later"));
    CASE("set aside");
    OK(journal_message_tried(j, message, MESSAGE_QUARANTINED, 3, SLICE("550 never"), &e));
    CHECK_INT(row().state, MESSAGE_QUARANTINED);
    CASE("no word of another destination brings it back");
    OK(journal_message_tried(j, message, MESSAGE_PENDING, 1, SLICE("later"), &e));
    CHECK_INT(row().state, MESSAGE_QUARANTINED);
    CHECK_SLICE(row().reason, SLICE("550 never"));
    journal_rollback(j);
}

static int64_t synchronous(void)
{
    int64_t n;

    OK(journal_number(j, "PRAGMA synchronous", &n, &e));
    return n;
}

/* A light commit is there after a kill, and the next ordinary one is durable again. */
static void test_light(void **state)
{
    enum { NORMAL = 1, FULL = 2 };
    int status;
    pid_t child;

    (void)state;
    staged();
    OK(journal_commit(j, &e));
    journal_close(&j);
    child = fork();
    if (child == 0) {
        if (journal_open(box_fd, box, "a.db", false, &j, &e) != 0 || journal_begin_light(j, &e) != 0 ||
            journal_delivery(j, message, sink_a.id, DELIVERY_IN_DOUBT, NULL, &e) != 0 || journal_commit(j, &e) != 0)
            _exit(1);
        kill(getpid(), SIGKILL);
    }
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    reopen();
    is(sink_a.id, DELIVERY_IN_DOUBT, "first", SLICE_NONE);
    CHECK_INT(synchronous(), FULL);
    OK(journal_begin_light(j, &e));
    CHECK_INT(synchronous(), NORMAL);
    OK(journal_delivery(j, message, sink_a.id, DELIVERY_DELIVERED, NULL, &e));
    OK(journal_commit(j, &e));
    flushes = 0;
    OK(journal_begin(j, &e));
    CHECK_INT(synchronous(), FULL);
    OK(journal_commit(j, &e));
    CASE("nothing is left to be written, but to be flushed");
    CHECK(flushes > 0); /* the first of a file flushes its directory, too */
    CASE("nor that");
    flushes = 0;
    OK(journal_begin(j, &e));
    OK(journal_commit(j, &e));
    CHECK_INT(flushes, 0);

    CASE("a flush that fails");
    OK(journal_begin_light(j, &e));
    OK(journal_delivery(j, message, sink_b.id, DELIVERY_DELIVERED, NULL, &e));
    OK(journal_commit(j, &e));
    CHECK_INT(flushes, 0);
    OK(journal_begin(j, &e));
    flushes_fail = true;
    FAILS(journal_commit(j, &e), E_DISK, "a.db");
    flushes_fail = false;
    FAILS(journal_begin(j, &e), E_DISK, "a.db");
}

/* The first version's tables as they were. What is in such a file is used as it is. */
static void make_version_1(void)
{
    static const char sql[] =
        "PRAGMA journal_mode = WAL;"
        "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
        "CREATE TABLE note (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
        "CREATE TABLE sink ("
        " id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, type TEXT NOT NULL, marker TEXT NOT NULL DEFAULT '',"
        " active INTEGER NOT NULL DEFAULT 1, used INTEGER NOT NULL DEFAULT 0);"
        "CREATE TABLE folder ("
        " id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, delimiter INTEGER NOT NULL, uidvalidity INTEGER NOT NULL,"
        " uidnext INTEGER NOT NULL, messages INTEGER NOT NULL, modseq INTEGER NOT NULL, octets INTEGER NOT NULL,"
        " listing BLOB, settled INTEGER NOT NULL, oldest_kept INTEGER NOT NULL, smallest_skipped INTEGER NOT NULL);"
        "CREATE TABLE message ("
        " id INTEGER PRIMARY KEY, folder INTEGER NOT NULL, uidvalidity INTEGER NOT NULL, uid INTEGER, uidl BLOB,"
        " octets INTEGER NOT NULL, state INTEGER NOT NULL, tries INTEGER NOT NULL, first_seen INTEGER NOT NULL,"
        " stored_at INTEGER NOT NULL, gone_at INTEGER NOT NULL, object_id BLOB, message_id BLOB,"
        " date INTEGER NOT NULL, header_digest BLOB, reason BLOB);"
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
        "CREATE INDEX delivery_staged ON delivery (sink, message) WHERE state = 1;"
        "INSERT INTO meta VALUES ('tag', '0123abcd');"
        "INSERT INTO sink (id, name, type, used) VALUES (1, 'a', 'maildir', 1);"
        "INSERT INTO folder VALUES (1, x'494e424f58', 47, 7, 2, 1, 0, 0, NULL, 1, 0, 0);"
        "INSERT INTO message VALUES (5, 1, 7, 1, NULL, 100, 0, 0, 10, 0, 0, NULL, NULL, 0, NULL, NULL);"
        "INSERT INTO delivery VALUES (5, 1, 1, 'old name');"
        "PRAGMA application_id = 1835557228; PRAGMA user_version = 1;";
    sqlite3 *db;

    CHECK_INT(sqlite3_open_v2(in_box("a.db"), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_close(db), SQLITE_OK);
    message = 5;
}

static void test_version_1(void **state)
{
    int64_t version;

    (void)state;
    make_version_1();
    CASE("only looked at, it stays as it is");
    OK(journal_open(box_fd, box, "a.db", true, &j, &e));
    CHECK_INT(row().state, MESSAGE_PENDING);
    CHECK_INT(strcmp(journal_tag(j), "0123abcd"), 0);
    OK(journal_number(j, "PRAGMA user_version", &version, &e));
    CHECK_INT(version, 1);
    journal_close(&j);

    CASE("upgraded");
    OK(journal_open(box_fd, box, "a.db", false, &j, &e));
    OK(journal_sink(j, "a", "maildir", &sink_a, &e));
    OK(journal_sinks_done(j, &e));
    CHECK_INT(sink_a.id, 1);
    CHECK(sink_a.has_delivered);
    OK(journal_number(j, "PRAGMA user_version", &version, &e));
    CHECK_INT(version, 2);
    CHECK_INT(strcmp(journal_tag(j), "0123abcd"), 0);
    is(1, DELIVERY_STAGED, "old name", SLICE_NONE);
    OK(journal_begin(j, &e));
    OK(journal_recipients(j, 5, 1, SLICE("one@x\0"), &e));
    is(1, DELIVERY_STAGED, "old name", SLICE("one@x\0"));
    OK(journal_delivery(j, 5, 1, DELIVERY_DELIVERED, NULL, &e));
    CHECK(settle());
    OK(journal_commit(j, &e));

    CASE("once");
    journal_close(&j);
    OK(journal_open(box_fd, box, "a.db", false, &j, &e));
    CHECK_INT(row().state, MESSAGE_STORED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, box_make, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_names), TEST(test_recipients), TEST(test_dropped_is_done), TEST(test_dropped_by_who_is_left),
        TEST(test_tried), TEST(test_light),      TEST(test_version_1),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
