/* SPDX-License-Identifier: MIT */
#include "store/journal.h"

#include "store/journal_int.h"
#include "store_test.h"

static struct err e;
static struct journal *j;
static struct journal_sink sink_a, sink_b;

static void reopen(void)
{
    journal_close(&j);
    OK(journal_open(box_fd, box, "a.db", false, &j, &e));
}

/* Opened with the one destination "a". */
static void open_with_a(void)
{
    reopen();
    OK(journal_sink(j, "a", "maildir", &sink_a, &e));
    OK(journal_sinks_done(j, &e));
}

static void open_with_a_and_b(void)
{
    reopen();
    OK(journal_sink(j, "a", "maildir", &sink_a, &e));
    OK(journal_sink(j, "b", "smtp", &sink_b, &e));
    OK(journal_sinks_done(j, &e));
}

static int journal_end(void **state)
{
    journal_close(&j);
    return box_remove(state);
}

static void begin(void)
{
    OK(journal_begin(j, &e));
}

static void commit(void)
{
    OK(journal_commit(j, &e));
}

static int64_t folder(struct slice name)
{
    struct journal_folder f;

    OK(journal_folder_get(j, name, &f, &e));
    if (f.id != 0)
        return f.id;
    f.delimiter = '/';
    f.settled = true;
    begin();
    OK(journal_folder_put(j, name, &f, &e));
    commit();
    return f.id;
}

static bool settled(struct slice name)
{
    struct journal_folder f;

    OK(journal_folder_get(j, name, &f, &e));
    return f.settled;
}

/* A new IMAP message, in the transaction at hand. */
static int64_t add(int64_t in, uint32_t uid, enum message_state state)
{
    struct journal_message m = { .folder = in, .uidvalidity = 7, .uid = uid, .octets = 100 + uid, .state = state };

    OK(journal_message_put(j, &m, &e));
    CHECK(m.id > 0);
    return m.id;
}

static struct journal_message by_uid(int64_t in, uint32_t uid)
{
    struct journal_message m = { 0 };
    bool found;

    OK(journal_find_uid(j, in, 7, uid, &m, &found, &e));
    CHECK(found);
    return m;
}

static uint64_t missing(int64_t message)
{
    const int64_t sinks[] = { sink_a.id, sink_b.id };
    uint64_t bits;

    OK(journal_missing(j, message, sinks, ARRAY_LEN(sinks), &bits, &e));
    return bits;
}

static bool settle(int64_t message, int64_t now)
{
    bool stored;

    OK(journal_settle_message(j, message, now, &stored, &e));
    return stored;
}

/* ---- the file ---- */

static void test_file(void **state)
{
    char tag[JOURNAL_TAG_LEN + 1];

    (void)state;
    umask(0);
    CASE("made");
    reopen();
    check_mode("a.db", 0600);
    check_mode("a.db-wal", 0600);
    memcpy(tag, journal_tag(j), sizeof(tag));
    CHECK_INT(strlen(tag), JOURNAL_TAG_LEN);
    CHECK_INT(strspn(tag, "0123456789abcdef"), JOURNAL_TAG_LEN);
    CASE("opened again");
    reopen();
    CHECK_INT(strcmp(tag, journal_tag(j)), 0);
    journal_close(&j);
    journal_close(&j);
    CHECK_INT(count_entries("."), 1);
    CASE("what a run left that was killed while it made one");
    put_file(".b.db.new", SLICE("half"));
    put_file(".b.db.new-journal", SLICE("half"));
    CASE("another file, another tag");
    OK(journal_open(box_fd, box, "b.db", false, &j, &e));
    CHECK(strcmp(tag, journal_tag(j)) != 0);
    check_mode("b.db", 0600);
    journal_close(&j);
    CHECK(is_there("b.db") && !is_there(".b.db.new"));
    CASE("a directory that is not there");
    CHECK_INT(mkdirat(box_fd, "gone", 0700), 0);
    int gone = openat(box_fd, "gone", O_RDONLY | O_DIRECTORY);
    CHECK_INT(unlinkat(box_fd, "gone", AT_REMOVEDIR), 0);
    FAILS(journal_open(gone, in_box("gone"), "a.db", false, &j, &e), E_DISK, in_box("gone/a.db"));
    io_close(&gone);
}

static void test_read_only(void **state)
{
    struct journal_folder f;
    struct journal *reader = NULL;
    bool found;
    unsigned count;

    (void)state;
    CASE("missing: as if empty, and still missing");
    OK(journal_open(box_fd, box, "a.db", true, &j, &e));
    OK(journal_folder_get(j, SLICE("INBOX"), &f, &e));
    CHECK_INT(f.id, 0);
    OK(journal_sink(j, "a", "maildir", &sink_a, &e));
    OK(journal_sinks_done(j, &e));
    CHECK_INT(sink_a.id, 0);
    OK(journal_quarantine_count(j, &count, &e));
    CHECK_INT(count, 0);
    OK(journal_walk(j, &(struct journal_query){ .walk = WALK_ALL, .folder = 1 }, &e));
    struct journal_message m;
    OK(journal_walk_next(j, &m, &found, &e));
    CHECK(!found);
    CHECK_INT(count_entries("."), 0);
    journal_close(&j);

    CASE("an empty file that a run left that was killed at once");
    put_file("a.db", SLICE(""));
    OK(journal_open(box_fd, box, "a.db", true, &j, &e));
    OK(journal_folder_get(j, SLICE("INBOX"), &f, &e));
    CHECK_INT(f.id, 0);
    journal_close(&j);
    check_file("a.db", SLICE(""));
    CHECK_INT(count_entries("."), 1);

    CASE("a file with something in it; nothing is made beside it");
    reopen();
    folder(SLICE("INBOX"));
    journal_close(&j);
    OK(journal_open(box_fd, box, "a.db", true, &j, &e));
    OK(journal_folder_get(j, SLICE("INBOX"), &f, &e));
    CHECK(f.id > 0);
    CHECK_INT(count_entries("."), 1);
    journal_close(&j);
    CHECK_INT(count_entries("."), 1);

    CASE("beside a writer: what was committed");
    reopen();
    folder(SLICE("B"));
    begin();
    OK(journal_folder_put(j, SLICE("C"), &(struct journal_folder){ 0 }, &e));
    OK(journal_open(box_fd, box, "a.db", true, &reader, &e));
    OK(journal_folder_get(reader, SLICE("B"), &f, &e));
    CHECK(f.id > 0);
    OK(journal_folder_get(reader, SLICE("C"), &f, &e));
    CHECK_INT(f.id, 0);
    commit();
    OK(journal_folder_get(reader, SLICE("C"), &f, &e));
    CHECK(f.id > 0);
    journal_close(&reader);

    CASE("a path that means something in an URI");
    CHECK_INT(mkdirat(box_fd, "o%41?d#", 0700), 0);
    int odd = openat(box_fd, "o%41?d#", O_RDONLY | O_DIRECTORY);
    journal_close(&j);
    OK(journal_open(odd, in_box("o%41?d#"), "a.db", false, &j, &e));
    folder(SLICE("D"));
    journal_close(&j);
    OK(journal_open(odd, in_box("o%41?d#"), "a.db", true, &j, &e));
    OK(journal_folder_get(j, SLICE("D"), &f, &e));
    CHECK(f.id > 0);
    io_close(&odd);
}

/* Puts 4 bytes into the header of the closed file. */
static void patch(off_t offset, uint32_t value)
{
    unsigned char b[4] = { (unsigned char)(value >> 24), (unsigned char)(value >> 16), (unsigned char)(value >> 8),
                           (unsigned char)value };
    int fd = openat(box_fd, "a.db", O_RDWR | O_CLOEXEC);

    CHECK(fd >= 0);
    CHECK_INT(pwrite(fd, b, sizeof(b), offset), sizeof(b));
    io_close(&fd);
}

static void test_versions(void **state)
{
    enum { AT_USER_VERSION = 60, AT_APPLICATION_ID = 68, SCHEMA = 2 };
    struct journal_folder f;

    (void)state;
    CASE("an older one: an empty file is version 0");
    put_file("a.db", SLICE(""));
    reopen();
    folder(SLICE("INBOX"));
    journal_close(&j);
    for (int read_only = 0; read_only < 2; read_only++) {
        CASE("a newer one, read_only %d", read_only);
        patch(AT_USER_VERSION, 99);
        FAILS(journal_open(box_fd, box, "a.db", read_only, &j, &e), E_DISK, "newer");
        CHECK(j == NULL);
        CHECK_INT(e.retry, RETRY_NEVER);
        unit_says(&e, in_box("a.db"), __FILE__, __LINE__);

        CASE("another program's, read_only %d", read_only);
        patch(AT_USER_VERSION, SCHEMA);
        patch(AT_APPLICATION_ID, 1234);
        FAILS(journal_open(box_fd, box, "a.db", read_only, &j, &e), E_DISK, "no journal of mailhaul");
        patch(AT_USER_VERSION, 0);
        FAILS(journal_open(box_fd, box, "a.db", read_only, &j, &e), E_DISK, "no journal of mailhaul");
        patch(AT_APPLICATION_ID, 0);
        FAILS(journal_open(box_fd, box, "a.db", read_only, &j, &e), E_DISK, "no journal of mailhaul");
        patch(AT_USER_VERSION, SCHEMA);
        patch(AT_APPLICATION_ID, 0x6d68616c);
    }
    CASE("and it was left alone");
    reopen();
    OK(journal_folder_get(j, SLICE("INBOX"), &f, &e));
    CHECK(f.id > 0);
}

static void test_corrupt(void **state)
{
    char junk[8192];

    (void)state;
    memset(junk, 'x', sizeof(junk));
    for (int read_only = 0; read_only < 2; read_only++) {
        CASE("junk, read_only %d", read_only);
        put_file("a.db", slice_make(junk, sizeof(junk)));
        FAILS(journal_open(box_fd, box, "a.db", read_only, &j, &e), E_DISK, "is damaged");
        unit_says(&e, "nothing was removed", __FILE__, __LINE__);
        check_file("a.db", slice_make(junk, sizeof(junk)));
    }
    CASE("the first page is whole, the others are junk");
    CHECK_INT(unlinkat(box_fd, "a.db", 0), 0);
    reopen();
    folder(SLICE("INBOX"));
    journal_close(&j);
    int fd = openat(box_fd, "a.db", O_RDWR);
    struct stat sb;
    CHECK_INT(fstat(fd, &sb), 0);
    for (off_t page = 4096; page < sb.st_size; page += 4096)
        CHECK_INT(pwrite(fd, junk, 4096, page), 4096);
    io_close(&fd);
    struct journal_folder f;
    int rc = journal_open(box_fd, box, "a.db", false, &j, &e);
    if (rc == 0)
        rc = journal_folder_get(j, SLICE("INBOX"), &f, &e);
    CHECK_INT(rc, -1);
    CHECK_INT(e.code, E_DISK);
    unit_says(&e, "is damaged", __FILE__, __LINE__);
}

/* All bytes of a.db and when it was written last. */
static void look_at(struct buf *bytes, struct timespec *when)
{
    int fd = openat(box_fd, "a.db", O_RDONLY | O_CLOEXEC);
    struct stat sb;

    buf_clear(bytes);
    CHECK_INT(fstat(fd, &sb), 0);
    CHECK_INT(io_read_all(fd, bytes), 0);
    io_close(&fd);
    *when = sb.st_mtim;
}

static void test_nothing_changes(void **state)
{
    struct buf before = BUF_INIT(1 << 20), after = BUF_INIT(1 << 20);
    struct timespec then, now;
    int64_t in;

    (void)state;
    open_with_a();
    in = folder(SLICE("INBOX"));
    begin();
    add(in, 1, MESSAGE_PENDING);
    OK(journal_note_put(j, "pipelining", "no", &e));
    commit();
    journal_close(&j);
    look_at(&before, &then);

    CASE("a pass with nothing new, in a transaction that changes nothing");
    open_with_a();
    CHECK_INT(folder(SLICE("INBOX")), in);
    by_uid(in, 1);
    begin();
    OK(journal_prune_gone(j, in, 1000, &e));
    OK(journal_note_put(j, "pipelining", "no", &e));
    commit();
    struct stat sb;
    CHECK_INT(fstatat(box_fd, "a.db-wal", &sb, 0), 0);
    CHECK_INT(sb.st_size, 0);
    journal_close(&j);
    look_at(&after, &now);
    CHECK_SLICE(buf_slice(&after), buf_slice(&before));
    CHECK_INT(now.tv_sec, then.tv_sec);
    CHECK_INT(now.tv_nsec, then.tv_nsec);
    buf_release(&before);
    buf_release(&after);
}

/* In another process that never closes anything. */
static void killed_after(void (*work)(void))
{
    int status;
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid == 0) {
        work();
        _exit(7);
    }
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK_INT(WEXITSTATUS(status), 7);
}

static void commit_one_and_begin_another(void)
{
    int64_t in;

    open_with_a();
    in = folder(SLICE("INBOX"));
    begin();
    OK(journal_stage(j, add(in, 1, MESSAGE_PENDING), sink_a.id, "one", &e));
    commit();
    begin();
    OK(journal_stage(j, add(in, 2, MESSAGE_PENDING), sink_a.id, "two", &e));
}

static void test_killed(void **state)
{
    struct journal_staged staged;
    struct journal_message m;
    bool found;

    (void)state;
    CASE("what was committed is there, what was not is not");
    killed_after(commit_one_and_begin_another);
    open_with_a();
    OK(journal_staged_first(j, sink_a.id, 0, &staged, &found, &e));
    CHECK(found);
    CHECK_INT(strcmp(staged.name, "one"), 0);
    CHECK_SLICE(staged.folder_name, SLICE("INBOX"));
    CHECK_INT(staged.delimiter, '/');
    OK(journal_staged_first(j, sink_a.id, staged.message, &staged, &found, &e));
    CHECK(!found);
    OK(journal_find_uid(j, folder(SLICE("INBOX")), 7, 2, &m, &found, &e));
    CHECK(!found);
    CHECK(sink_a.has_delivered);
}

/* ---- rows ---- */

static void test_folder_round_trip(void **state)
{
    struct journal_folder f = { .delimiter = '.',
                                .uidvalidity = UINT32_MAX,
                                .uidnext = UINT32_MAX - 1,
                                .messages = 3,
                                .modseq = INT64_MAX,
                                .octets = UINT64_C(1) << 50,
                                .settled = true,
                                .oldest_kept = 1700000000,
                                .smallest_skipped = 5 },
                          got;

    (void)state;
    for (size_t i = 0; i < sizeof(f.listing); i++)
        f.listing[i] = (unsigned char)(200 + i);
    open_with_a();
    CASE("a name of any bytes");
    begin();
    OK(journal_folder_put(j, SLICE("a\0b\xff'\""), &f, &e));
    commit();
    CHECK(f.id > 0);
    OK(journal_folder_get(j, SLICE("a\0b\xff'\""), &got, &e));
    CHECK_INT(got.id, f.id);
    CHECK_INT(got.delimiter, f.delimiter);
    CHECK_INT(got.uidvalidity, f.uidvalidity);
    CHECK_INT(got.uidnext, f.uidnext);
    CHECK_INT(got.messages, f.messages);
    CHECK_INT(got.modseq, f.modseq);
    CHECK_INT(got.octets, f.octets);
    CHECK_INT(memcmp(got.listing, f.listing, sizeof(f.listing)), 0);
    CHECK_INT(got.settled, f.settled);
    CHECK_INT(got.oldest_kept, f.oldest_kept);
    CHECK_INT(got.smallest_skipped, f.smallest_skipped);
    CASE("another name");
    OK(journal_folder_get(j, SLICE("a"), &got, &e));
    CHECK_INT(got.id, 0);
    CASE("changed");
    f.messages = 4;
    f.delimiter = '\0';
    begin();
    OK(journal_folder_put(j, SLICE("a\0b\xff'\""), &f, &e));
    commit();
    OK(journal_folder_get(j, SLICE("a\0b\xff'\""), &got, &e));
    CHECK_INT(got.id, f.id);
    CHECK_INT(got.messages, 4);
    CHECK_INT(got.delimiter, '\0');
}

static void check_same(const struct journal_message *got, const struct journal_message *want)
{
    CHECK_INT(got->id, want->id);
    CHECK_INT(got->folder, want->folder);
    CHECK_INT(got->uidvalidity, want->uidvalidity);
    CHECK_INT(got->uid, want->uid);
    CHECK_SLICE(got->uidl, want->uidl);
    CHECK_INT(got->octets, want->octets);
    CHECK_INT(got->state, want->state);
    CHECK_INT(got->tries, want->tries);
    CHECK_INT(got->first_seen, want->first_seen);
    CHECK_INT(got->stored_at, want->stored_at);
    CHECK_INT(got->gone_at, want->gone_at);
    CHECK_SLICE(got->object_id, want->object_id);
    CHECK_SLICE(got->message_id, want->message_id);
    CHECK_INT(got->date, want->date);
    CHECK_INT(got->has_header_digest, want->has_header_digest);
    CHECK_INT(memcmp(got->header_digest, want->header_digest, sizeof(got->header_digest)), 0);
    CHECK_SLICE(got->reason, want->reason);
}

static void test_message_round_trip(void **state)
{
    struct journal_message m = { .uidvalidity = UINT32_MAX,
                                 .uid = UINT32_MAX,
                                 .octets = UINT64_C(1) << 40,
                                 .state = MESSAGE_SKIPPED,
                                 .tries = 2,
                                 .first_seen = 1,
                                 .stored_at = 2,
                                 .gone_at = 3,
                                 .object_id = SLICE("M\0x"),
                                 .message_id = SLICE("<'\xfe@>"),
                                 .date = -1,
                                 .has_header_digest = true,
                                 .reason = SLICE("too large") },
                           got;
    bool found;
    uint32_t highest;

    (void)state;
    m.header_digest[0] = 1;
    m.header_digest[31] = 255;
    open_with_a();
    m.folder = folder(SLICE("INBOX"));
    begin();
    OK(journal_message_put(j, &m, &e));
    CASE("found by UID");
    OK(journal_find_uid(j, m.folder, UINT32_MAX, UINT32_MAX, &got, &found, &e));
    CHECK(found);
    check_same(&got, &m);
    CASE("not under another UIDVALIDITY, UID or folder");
    OK(journal_find_uid(j, m.folder, 1, UINT32_MAX, &got, &found, &e));
    CHECK(!found);
    OK(journal_find_uid(j, m.folder, UINT32_MAX, 1, &got, &found, &e));
    CHECK(!found);
    OK(journal_find_uid(j, m.folder + 1, UINT32_MAX, UINT32_MAX, &got, &found, &e));
    CHECK(!found);
    CASE("the highest UID");
    OK(journal_max_uid(j, m.folder, UINT32_MAX, &highest, &e));
    CHECK_INT(highest, UINT32_MAX);
    OK(journal_max_uid(j, m.folder, 1, &highest, &e));
    CHECK_INT(highest, 0);
    CASE("what was read is put back, changed");
    OK(journal_find_uid(j, m.folder, UINT32_MAX, UINT32_MAX, &got, &found, &e));
    got.has_header_digest = false;
    memset(got.header_digest, 0, sizeof(got.header_digest));
    got.object_id = SLICE_NONE;
    got.state = MESSAGE_PENDING;
    OK(journal_message_put(j, &got, &e));
    m.has_header_digest = false;
    memset(m.header_digest, 0, sizeof(m.header_digest));
    m.object_id = SLICE_NONE;
    m.state = MESSAGE_PENDING;
    OK(journal_find_uid(j, m.folder, UINT32_MAX, UINT32_MAX, &got, &found, &e));
    check_same(&got, &m);
    CASE("moved");
    OK(journal_message_move(j, m.id, 8, 9, &e));
    OK(journal_find_uid(j, m.folder, 8, 9, &got, &found, &e));
    CHECK(found);
    CHECK_INT(got.id, m.id);
    CHECK_SLICE(got.message_id, SLICE("<'\xfe@>"));
    CASE("the same UID twice is a mistake that is told");
    struct journal_message twin = { .folder = m.folder, .uidvalidity = 8, .uid = 9 };
    FAILS(journal_message_put(j, &twin, &e), E_DISK, "a.db");
    journal_rollback(j);
}

static void test_uidl(void **state)
{
    struct journal_message m = { .uidl = SLICE("u\0\xff'"), .octets = 10 }, got;
    int64_t first;
    bool found;

    (void)state;
    open_with_a();
    m.folder = folder(SLICE("INBOX"));
    begin();
    OK(journal_message_put(j, &m, &e));
    first = m.id;
    OK(journal_find_uidl(j, m.folder, SLICE("u\0\xff'"), &got, &found, &e));
    CHECK(found);
    check_same(&got, &m);
    OK(journal_find_uidl(j, m.folder, SLICE("u"), &got, &found, &e));
    CHECK(!found);
    CASE("two of one name: the later one");
    m.id = 0;
    m.octets = 20;
    OK(journal_message_put(j, &m, &e));
    OK(journal_find_uidl(j, m.folder, m.uidl, &got, &found, &e));
    CHECK_INT(got.id, m.id);
    CHECK(m.id > first);
    CASE("resized, gone, back, pruned");
    OK(journal_message_resize(j, first, 77, &e));
    OK(journal_message_gone(j, first, 1000, &e));
    OK(journal_message_gone(j, m.id, 500, &e));
    OK(journal_message_gone(j, m.id, 0, &e));
    OK(journal_prune_gone(j, m.folder, 1000, &e));
    OK(journal_message_delete(j, m.id, &e));
    OK(journal_find_uidl(j, m.folder, SLICE("u\0\xff'"), &got, &found, &e));
    CHECK(found);
    CHECK_INT(got.id, first);
    CHECK_INT(got.octets, 77);
    CHECK_INT(got.gone_at, 1000);
    OK(journal_prune_gone(j, m.folder, 1001, &e));
    OK(journal_find_uidl(j, m.folder, SLICE("u\0\xff'"), &got, &found, &e));
    CHECK(!found);
    CHECK_INT(missing(first), 0);
    commit();
}

static void test_notes(void **state)
{
    struct buf value = BUF_INIT(100);

    (void)state;
    reopen();
    OK(journal_note_get(j, "k", &value, &e));
    CHECK_SLICE(buf_slice(&value), SLICE(""));
    begin();
    OK(journal_note_put(j, "k", "v1", &e));
    OK(journal_note_put(j, "k", "v2", &e));
    commit();
    OK(journal_note_get(j, "k", &value, &e));
    CHECK_SLICE(buf_slice(&value), SLICE("v2"));
    begin();
    OK(journal_note_put(j, "k", "v3", &e));
    journal_rollback(j);
    journal_rollback(j);
    OK(journal_note_get(j, "k", &value, &e));
    CHECK_SLICE(buf_slice(&value), SLICE("v2"));
    buf_release(&value);
}

/* ---- deliveries ---- */

static void test_states(void **state)
{
    struct journal_staged staged;
    struct journal_message m;
    int64_t in, id;
    bool found;

    (void)state;
    open_with_a_and_b();
    CHECK(!sink_a.has_delivered && !sink_b.has_delivered);
    in = folder(SLICE("INBOX"));
    begin();
    CASE("a new row wants all destinations");
    id = add(in, 1, MESSAGE_PENDING);
    CHECK_INT(missing(id), 3);
    CHECK(!settle(id, 50));

    CASE("staged");
    OK(journal_stage(j, id, sink_a.id, "name:2", &e));
    CHECK_INT(missing(id), 3);
    OK(journal_staged_first(j, sink_a.id, 0, &staged, &found, &e));
    CHECK(found);
    CHECK_INT(staged.message, id);
    CHECK_INT(strcmp(staged.name, "name:2"), 0);
    OK(journal_staged_first(j, sink_b.id, 0, &staged, &found, &e));
    CHECK(!found);

    CASE("back to wanted");
    OK(journal_delivery(j, id, sink_a.id, DELIVERY_WANTED, NULL, &e));
    OK(journal_staged_first(j, sink_a.id, 0, &staged, &found, &e));
    CHECK(!found);

    CASE("one of two");
    OK(journal_stage(j, id, sink_a.id, "again", &e));
    OK(journal_delivery(j, id, sink_a.id, DELIVERY_DELIVERED, NULL, &e));
    CHECK_INT(missing(id), 2);
    CHECK(!settle(id, 50));
    CHECK_INT(by_uid(in, 1).state, MESSAGE_PENDING);

    CASE("in doubt and rejected do not count as delivered");
    OK(journal_delivery(j, id, sink_b.id, DELIVERY_IN_DOUBT, NULL, &e));
    CHECK(!settle(id, 50));
    OK(journal_delivery(j, id, sink_b.id, DELIVERY_REJECTED, NULL, &e));
    CHECK(!settle(id, 50));
    CHECK_INT(missing(id), 2);

    CASE("stored");
    m = by_uid(in, 1);
    m.tries = 2;
    m.reason = SLICE("no body");
    OK(journal_message_put(j, &m, &e));
    OK(journal_delivery(j, id, sink_b.id, DELIVERY_DELIVERED, NULL, &e));
    CHECK(settle(id, 50));
    CHECK_INT(missing(id), 0);
    m = by_uid(in, 1);
    CHECK_INT(m.state, MESSAGE_STORED);
    CHECK_INT(m.stored_at, 50);
    CHECK_INT(m.tries, 0);
    CHECK_INT(m.reason.n, 0);
    CASE("still stored, since then");
    CHECK(settle(id, 60));
    CHECK_INT(by_uid(in, 1).stored_at, 50);

    CASE("being removed, then gone with its deliveries");
    OK(journal_message_marked(j, id, &e));
    CHECK_INT(by_uid(in, 1).state, MESSAGE_REMOVING);
    OK(journal_message_delete(j, id, &e));
    OK(journal_find_uid(j, in, 7, 1, &m, &found, &e));
    CHECK(!found);
    CHECK_INT(missing(id), 0);
    commit();

    CASE("the destination still knows that it was used");
    open_with_a_and_b();
    CHECK(sink_a.has_delivered && !sink_b.has_delivered);
}

static void test_used_and_rollback(void **state)
{
    int64_t in, id;

    (void)state;
    open_with_a();
    in = folder(SLICE("INBOX"));
    begin();
    id = add(in, 1, MESSAGE_PENDING);
    commit();
    begin();
    OK(journal_stage(j, id, sink_a.id, "x", &e));
    journal_rollback(j);
    open_with_a();
    CASE("not after a rollback");
    CHECK(!sink_a.has_delivered);
    begin();
    OK(journal_stage(j, id, sink_a.id, "x", &e));
    journal_rollback(j);
    begin();
    OK(journal_stage(j, id, sink_a.id, "x", &e));
    commit();
    open_with_a();
    CASE("but when it was done again");
    CHECK(sink_a.has_delivered);
}

static void test_marker(void **state)
{
    (void)state;
    open_with_a();
    CHECK_INT(strlen(sink_a.marker), 0);
    begin();
    OK(journal_sink_bind(j, sink_a.id, "0123456789abcdef0123456789abcdef", &e));
    commit();
    open_with_a();
    CHECK_INT(strcmp(sink_a.marker, "0123456789abcdef0123456789abcdef"), 0);
}

static void test_destination_added_later(void **state)
{
    int64_t in, old, young;

    (void)state;
    open_with_a();
    in = folder(SLICE("INBOX"));
    begin();
    old = add(in, 1, MESSAGE_PENDING);
    commit();
    open_with_a_and_b();
    begin();
    young = add(in, 2, MESSAGE_PENDING);
    CASE("gets no old mail");
    CHECK_INT(missing(old), 1);
    CHECK_INT(missing(young), 3);
    OK(journal_delivery(j, old, sink_a.id, DELIVERY_DELIVERED, NULL, &e));
    CHECK(settle(old, 5));
    CASE("and cannot be given any by mistake");
    FAILS(journal_stage(j, old, sink_b.id, "x", &e), E_DISK, "not meant for");
    journal_rollback(j);
}

static void test_destination_removed(void **state)
{
    int64_t in, had, waits, doubt, skipped;

    (void)state;
    open_with_a_and_b();
    in = folder(SLICE("INBOX"));
    begin();
    had = add(in, 1, MESSAGE_PENDING);
    waits = add(in, 2, MESSAGE_PENDING);
    OK(journal_delivery(j, had, sink_a.id, DELIVERY_DELIVERED, NULL, &e));
    CHECK(!settle(had, 5));
    commit();
    CHECK(settled(SLICE("INBOX")));

    open_with_a();
    CASE("what waited for it alone is stored, and the folder is looked at again");
    CHECK_INT(by_uid(in, 1).state, MESSAGE_STORED);
    CHECK(by_uid(in, 1).stored_at > 0);
    CHECK_INT(by_uid(in, 2).state, MESSAGE_PENDING);
    CHECK(!settled(SLICE("INBOX")));
    CASE("and it does not count for others");
    begin();
    OK(journal_delivery(j, waits, sink_a.id, DELIVERY_DELIVERED, NULL, &e));
    CHECK(settle(waits, 5));
    commit();

    CASE("what nobody of today has or gets goes to all of today's");
    begin();
    waits = add(in, 3, MESSAGE_PENDING);
    doubt = add(in, 4, MESSAGE_PENDING);
    skipped = add(in, 5, MESSAGE_SKIPPED);
    OK(journal_delivery(j, doubt, sink_a.id, DELIVERY_IN_DOUBT, NULL, &e));
    commit();
    reopen();
    OK(journal_sink(j, "b", "smtp", &sink_b, &e));
    OK(journal_sinks_done(j, &e));
    CHECK_INT(missing(waits), 3);
    CHECK_INT(missing(doubt), 1);
    CHECK_INT(missing(skipped), 3);
    CHECK_INT(by_uid(in, 3).state, MESSAGE_PENDING);
    begin();
    CHECK(!settle(waits, 9));
    CHECK(!settle(doubt, 9));
    OK(journal_delivery(j, waits, sink_b.id, DELIVERY_DELIVERED, NULL, &e));
    CHECK(settle(waits, 9));
    commit();

    CASE("it comes back: old mail stays as it was");
    open_with_a_and_b();
    CHECK_INT(by_uid(in, 1).state, MESSAGE_STORED);
    CHECK_INT(by_uid(in, 3).state, MESSAGE_STORED);
}

static void test_staged_listing(void **state)
{
    struct journal_staged staged;
    int64_t in, other, ids[4], after = 0;
    bool found;

    (void)state;
    open_with_a_and_b();
    in = folder(SLICE("INBOX"));
    other = folder(SLICE("Other\0x"));
    begin();
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        char name[8];
        ids[i] = add(i % 2 == 0 ? in : other, (uint32_t)(10 - i), MESSAGE_PENDING);
        snprintf(name, sizeof(name), "n%zu", i);
        OK(journal_stage(j, ids[i], sink_a.id, name, &e));
    }
    OK(journal_delivery(j, ids[2], sink_a.id, DELIVERY_DELIVERED, NULL, &e));
    OK(journal_stage(j, ids[3], sink_b.id, "b3", &e));
    commit();
    open_with_a_and_b();
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        char name[8];
        CASE("staged %zu", i);
        if (i == 2)
            continue;
        snprintf(name, sizeof(name), "n%zu", i);
        OK(journal_staged_first(j, sink_a.id, after, &staged, &found, &e));
        CHECK(found);
        CHECK_INT(staged.message, ids[i]);
        CHECK_INT(strcmp(staged.name, name), 0);
        CHECK_SLICE(staged.folder_name, i % 2 == 0 ? SLICE("INBOX") : SLICE("Other\0x"));
        after = staged.message;
    }
    OK(journal_staged_first(j, sink_a.id, after, &staged, &found, &e));
    CHECK(!found);
    OK(journal_staged_first(j, sink_b.id, 0, &staged, &found, &e));
    CHECK_INT(staged.message, ids[3]);
}

/* ---- quarantine ---- */

static void test_quarantine(void **state)
{
    struct journal_quarantined q;
    struct journal_message m;
    int64_t in, other, first, second;
    unsigned count;
    bool found;

    (void)state;
    open_with_a();
    in = folder(SLICE("INBOX"));
    other = folder(SLICE("Other"));
    begin();
    add(in, 1, MESSAGE_PENDING);
    first = add(in, 2, MESSAGE_QUARANTINED);
    second = add(other, 3, MESSAGE_QUARANTINED);
    m = by_uid(in, 2);
    m.reason = SLICE("no body");
    m.tries = 3;
    OK(journal_message_put(j, &m, &e));
    commit();
    OK(journal_quarantine_count(j, &count, &e));
    CHECK_INT(count, 2);

    CASE("listed in order");
    OK(journal_quarantine_next(j, 0, &q, &found, &e));
    CHECK(found);
    CHECK_INT(q.message.id, first);
    CHECK_INT(q.message.tries, 3);
    CHECK_SLICE(q.message.reason, SLICE("no body"));
    CHECK_SLICE(q.folder_name, SLICE("INBOX"));
    OK(journal_quarantine_next(j, first, &q, &found, &e));
    CHECK_INT(q.message.id, second);
    CHECK_SLICE(q.folder_name, SLICE("Other"));
    OK(journal_quarantine_next(j, second, &q, &found, &e));
    CHECK(!found);

    CASE("retry of one");
    begin();
    OK(journal_quarantine_set(j, first, MESSAGE_PENDING, &count, &e));
    commit();
    CHECK_INT(count, 1);
    CHECK_INT(by_uid(in, 2).state, MESSAGE_PENDING);
    CHECK_INT(by_uid(in, 2).tries, 0);
    CHECK(!settled(SLICE("INBOX")));
    CHECK(settled(SLICE("Other")));
    CASE("one that is not in quarantine");
    begin();
    OK(journal_quarantine_set(j, first, MESSAGE_DROPPED, &count, &e));
    CHECK_INT(count, 0);
    CASE("drop of all");
    OK(journal_quarantine_set(j, 0, MESSAGE_DROPPED, &count, &e));
    CHECK_INT(count, 1);
    commit();
    m = (struct journal_message){ 0 };
    OK(journal_find_uid(j, other, 7, 3, &m, &found, &e));
    CHECK_INT(m.state, MESSAGE_DROPPED);
    CHECK(settled(SLICE("Other")));
    OK(journal_quarantine_count(j, &count, &e));
    CHECK_INT(count, 0);
    CASE("unsettled by message");
    begin();
    OK(journal_unsettle_folder_of(j, second, &e));
    commit();
    CHECK(!settled(SLICE("Other")));
}

/* ---- walks ---- */

/* The UIDs that a walk gives, in a line. */
static void check_walk(struct journal_query q, const char *want)
{
    struct buf got = BUF_INIT(200);
    struct journal_message m;
    bool found;

    OK(journal_walk(j, &q, &e));
    for (;;) {
        OK(journal_walk_next(j, &m, &found, &e));
        if (!found)
            break;
        CHECK_INT(buf_putf(&got, "%" PRIu32 " ", m.uid), 0);
    }
    OK(journal_walk_next(j, &m, &found, &e));
    CHECK(!found);
    CHECK_SLICE(buf_slice(&got), slice_str(want));
    buf_release(&got);
}

static int64_t add_walkers(int64_t in)
{
    struct journal_message stored = { .folder = in, .uidvalidity = 7, .state = MESSAGE_STORED };
    int64_t third;

    begin();
    add(in, 9, MESSAGE_PENDING);
    add(in, 2, MESSAGE_SKIPPED);
    third = add(in, 5, MESSAGE_PENDING);
    add(in, 1, MESSAGE_QUARANTINED);
    add(in, 8, MESSAGE_DROPPED);
    stored.uid = 4;
    stored.stored_at = 100;
    OK(journal_message_put(j, &stored, &e));
    stored.id = 0;
    stored.uid = 3;
    stored.stored_at = 200;
    stored.state = MESSAGE_REMOVING;
    OK(journal_message_put(j, &stored, &e));
    stored.id = 0;
    stored.uid = 6;
    stored.stored_at = 50;
    stored.uidvalidity = 6;
    OK(journal_message_put(j, &stored, &e));
    add(folder(SLICE("Other")), 77, MESSAGE_PENDING);
    commit();
    return third;
}

static void test_walks(void **state)
{
    int64_t in, third;

    (void)state;
    open_with_a();
    in = folder(SLICE("INBOX"));
    folder(SLICE("Other"));
    third = add_walkers(in);
    CASE("each kind");
    check_walk((struct journal_query){ .walk = WALK_ALL, .folder = in }, "9 2 5 1 8 4 3 6 ");
    check_walk((struct journal_query){ .walk = WALK_ALL, .folder = in, .after_id = third }, "1 8 4 3 6 ");
    check_walk((struct journal_query){ .walk = WALK_PENDING, .folder = in, .uidvalidity = 7 }, "9 5 ");
    check_walk((struct journal_query){ .walk = WALK_PENDING, .folder = in, .uidvalidity = 6 }, "");
    check_walk((struct journal_query){ .walk = WALK_SKIPPED, .folder = in, .uidvalidity = 7 }, "2 ");
    check_walk((struct journal_query){ .walk = WALK_STORED, .folder = in, .uidvalidity = 7, .before = 200 }, "4 3 ");
    check_walk((struct journal_query){ .walk = WALK_STORED, .folder = in, .uidvalidity = 7, .before = 199 }, "4 ");
    check_walk((struct journal_query){ .walk = WALK_OTHER_UIDVALIDITY, .folder = in, .uidvalidity = 7 }, "6 ");
    check_walk((struct journal_query){ .walk = WALK_ALL, .folder = 999 }, "");

    CASE("sums");
    int64_t oldest;
    uint64_t smallest;
    OK(journal_folder_sums(j, in, &oldest, &smallest, &e));
    CHECK_INT(oldest, 100);
    CHECK_INT(smallest, 102);
    OK(journal_folder_sums(j, folder(SLICE("Other")), &oldest, &smallest, &e));
    CHECK_INT(oldest, 0);
    CHECK_INT(smallest, 0);
}

static void test_walk_while_writing(void **state)
{
    struct journal_message m, other;
    int64_t in;
    uint32_t uid = 9;
    bool found;

    (void)state;
    open_with_a();
    in = folder(SLICE("INBOX"));
    begin();
    for (uint32_t i = 1; i <= 20; i++)
        add(in, i, MESSAGE_PENDING);
    commit();
    CASE("every row once, although each is changed, deleted or committed under the walk");
    OK(journal_walk(j, &(struct journal_query){ .walk = WALK_PENDING, .folder = in, .uidvalidity = 7 }, &e));
    for (uint32_t i = 1; i <= 20; i++) {
        OK(journal_walk_next(j, &m, &found, &e));
        CHECK(found);
        CHECK_INT(m.uid, i);
        begin();
        if (i % 3 == 0) {
            OK(journal_message_delete(j, m.id, &e));
        } else {
            m.state = MESSAGE_SKIPPED;
            OK(journal_message_put(j, &m, &e));
        }
        if (i % 2 == 0)
            journal_rollback(j);
        else
            commit();
        OK(journal_find_uid(j, in, 7, 1, &other, &found, &e));
        CHECK(found);
        uid = i;
    }
    CHECK_INT(uid, 20);
    OK(journal_walk_next(j, &m, &found, &e));
    CHECK(!found);
    CASE("ended early");
    OK(journal_walk(j, &(struct journal_query){ .walk = WALK_ALL, .folder = in }, &e));
    OK(journal_walk_next(j, &m, &found, &e));
    CHECK(found);
    journal_walk_end(j);
    OK(journal_walk_next(j, &m, &found, &e));
    CHECK(!found);
}

/* ---- how much work it is ---- */

static void exercise(int64_t in, uint32_t first, uint32_t count)
{
    struct journal_message m;
    struct journal_staged staged;
    struct journal_quarantined quarantined;
    struct buf recipients = BUF_INIT(100);
    enum delivery_state delivery;
    char name[20];
    int64_t number;
    uint64_t octets;
    unsigned n;
    uint32_t highest;
    bool found;

    begin();
    for (uint32_t uid = first; uid < first + count; uid++) {
        int64_t id = add(in, uid, MESSAGE_PENDING);
        OK(journal_stage(j, id, sink_a.id, "name", &e));
        OK(journal_delivery(j, id, sink_a.id, DELIVERY_DELIVERED, NULL, &e));
        OK(journal_recipients(j, id, sink_a.id, SLICE("a@x"), &e));
        OK(journal_delivery_get(j, id, sink_a.id, &delivery, name, sizeof(name), &recipients, &e));
        CHECK(settle(id, 5));
        m = by_uid(in, uid);
        OK(journal_message_put(j, &m, &e));
        missing(id);
    }
    m = (struct journal_message){ .folder = in, .uidl = SLICE("u"), .gone_at = 9, .state = MESSAGE_QUARANTINED };
    OK(journal_message_put(j, &m, &e));
    OK(journal_find_uidl(j, in, SLICE("u"), &m, &found, &e));
    OK(journal_max_uid(j, in, 7, &highest, &e));
    OK(journal_staged_first(j, sink_a.id, 0, &staged, &found, &e));
    OK(journal_quarantine_next(j, 0, &quarantined, &found, &e));
    OK(journal_quarantine_count(j, &n, &e));
    OK(journal_quarantine_set(j, 0, MESSAGE_PENDING, &n, &e));
    OK(journal_unsettle_folder_of(j, m.id, &e));
    OK(journal_message_move(j, m.id, 1, 1, &e));
    OK(journal_message_tried(j, m.id, MESSAGE_PENDING, 1, SLICE("later"), &e));
    OK(journal_message_resize(j, m.id, 1, &e));
    OK(journal_message_marked(j, m.id, &e));
    OK(journal_message_gone(j, m.id, 1, &e));
    OK(journal_prune_gone(j, in, 100, &e));
    OK(journal_message_delete(j, m.id, &e));
    OK(journal_folder_sums(j, in, &number, &octets, &e));
    for (int walk = WALK_ALL; walk <= WALK_OTHER_UIDVALIDITY; walk++) {
        struct journal_query q = { .walk = (enum journal_walk)walk, .folder = in, .uidvalidity = 7, .before = 100 };
        OK(journal_walk(j, &q, &e));
        do {
            OK(journal_walk_next(j, &m, &found, &e));
        } while (found);
    }
    commit();
    buf_release(&recipients);
}

/* Virtual machine steps of all kept statements so far. */
static int64_t vm_steps(void)
{
    int64_t sum = 0;

    for (size_t i = 0; i < ST_COUNT; i++) {
        if (j->stmts[i] != NULL)
            sum += sqlite3_stmt_status(j->stmts[i], SQLITE_STMTSTATUS_VM_STEP, 1);
    }
    return sum;
}

static void test_work_stays_small(void **state)
{
    int64_t in, few, many;

    (void)state;
    open_with_a();
    in = folder(SLICE("INBOX"));
    begin();
    for (uint32_t uid = 1; uid <= 20000; uid++)
        add(in, uid, MESSAGE_PENDING);
    commit();
    exercise(folder(SLICE("Other")), 1, 100);
    CASE("no query reads a whole table, sorts, or makes an index for the moment");
    for (size_t i = 0; i < ST_COUNT; i++) {
        if (j->stmts[i] == NULL)
            continue;
        CASE("%.250s", sqlite3_sql(j->stmts[i]));
        CHECK_INT(sqlite3_stmt_status(j->stmts[i], SQLITE_STMTSTATUS_FULLSCAN_STEP, 0), 0);
        CHECK_INT(sqlite3_stmt_status(j->stmts[i], SQLITE_STMTSTATUS_SORT, 0), 0);
        CHECK_INT(sqlite3_stmt_status(j->stmts[i], SQLITE_STMTSTATUS_AUTOINDEX, 0), 0);
    }
    CASE("a message among 20,000 is as much work as one of 100");
    few = vm_steps();
    begin();
    for (uint32_t uid = 1001; uid <= 1100; uid++)
        OK(journal_delivery(j, add(folder(SLICE("Other")), uid, MESSAGE_PENDING), sink_a.id, DELIVERY_DELIVERED, NULL,
                            &e));
    few = vm_steps();
    for (uint32_t uid = 30001; uid <= 30100; uid++)
        OK(journal_delivery(j, add(folder(SLICE("INBOX")), uid, MESSAGE_PENDING), sink_a.id, DELIVERY_DELIVERED, NULL,
                            &e));
    many = vm_steps();
    commit();
    CHECK(few > 0 && many <= few + few / 10);
    CASE("a walk is a few steps a row");
    OK(journal_walk(j, &(struct journal_query){ .walk = WALK_ALL, .folder = in }, &e));
    for (bool found = true; found;) {
        struct journal_message m;
        OK(journal_walk_next(j, &m, &found, &e));
    }
    CHECK(vm_steps() < INT64_C(30) * 20100);
}

/* ---- faults ---- */

static int fill(int64_t in, uint32_t *uid)
{
    char id[900];

    memset(id, 'm', sizeof(id));
    if (journal_begin(j, &e) != 0)
        return -1;
    for (int i = 0; i < 20; i++) {
        struct journal_message m = {
            .folder = in, .uidvalidity = 7, .uid = *uid + (uint32_t)i, .message_id = slice_make(id, sizeof(id))
        };
        if (journal_message_put(j, &m, &e) != 0) {
            journal_rollback(j);
            return -1;
        }
    }
    if (journal_commit(j, &e) != 0)
        return -1;
    *uid += 20;
    return 0;
}

static void test_full_disk(void **state)
{
    struct journal_message m;
    uint32_t uid = 1, highest;
    int64_t in;
    bool found;

    (void)state;
    mount_tiny("tiny", "size=512k");
    int tiny = open(in_box("tiny"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    OK(journal_open(tiny, in_box("tiny"), "a.db", false, &j, &e));
    in = folder(SLICE("INBOX"));
    while (uid < 10000 && fill(in, &uid) == 0)
        ;
    CASE("said in words");
    CHECK(uid > 1 && uid < 10000);
    CHECK_INT(e.code, E_DISK);
    unit_says(&e, "no space left", __FILE__, __LINE__);
    unit_says(&e, in_box("tiny/a.db"), __FILE__, __LINE__);
    CASE("what was committed is there, what was not is not");
    OK(journal_find_uid(j, in, 7, uid - 1, &m, &found, &e));
    CHECK(found);
    OK(journal_max_uid(j, in, 7, &highest, &e));
    CHECK_INT(highest, uid - 1);
    CASE("and it goes on when there is room");
    CHECK_INT(mount(NULL, in_box("tiny"), NULL, MS_REMOUNT, "size=8m"), 0);
    CHECK_INT(fill(in, &uid), 0);
    journal_close(&j);
    OK(journal_open(tiny, in_box("tiny"), "a.db", true, &j, &e));
    OK(journal_max_uid(j, in, 7, &highest, &e));
    CHECK_INT(highest, uid - 1);
    journal_close(&j);

    CASE("read-only");
    CHECK_INT(mount(NULL, in_box("tiny"), NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    FAILS(journal_open(tiny, in_box("tiny"), "a.db", false, &j, &e), E_DISK, "read-only");
    OK(journal_open(tiny, in_box("tiny"), "a.db", true, &j, &e));
    journal_close(&j);
    io_close(&tiny);
    unmount_tiny("tiny");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, box_make, journal_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_file),
        TEST(test_read_only),
        TEST(test_versions),
        TEST(test_corrupt),
        TEST(test_nothing_changes),
        TEST(test_killed),
        TEST(test_folder_round_trip),
        TEST(test_message_round_trip),
        TEST(test_uidl),
        TEST(test_notes),
        TEST(test_states),
        TEST(test_used_and_rollback),
        TEST(test_marker),
        TEST(test_destination_added_later),
        TEST(test_destination_removed),
        TEST(test_staged_listing),
        TEST(test_quarantine),
        TEST(test_walks),
        TEST(test_walk_while_writing),
        TEST(test_work_stays_small),
        TEST(test_full_disk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
