/* SPDX-License-Identifier: MIT */
#include "store/spool.h"

#include "store_test.h"
#include "wire/crlf.h"

#include <pthread.h>
#include <sys/resource.h>

/* The linker puts these between the spool and libc: a file system that knows no files without a name. */
static bool no_tmpfile;
static int unlinked;
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, mode_t mode);
int __wrap_open64(const char *path, int flags, mode_t mode);
int __real_unlink(const char *path);
int __wrap_unlink(const char *path);

int __wrap_open(const char *path, int flags, mode_t mode)
{
    if (no_tmpfile && (flags & O_TMPFILE) == O_TMPFILE) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return __real_open(path, flags, mode);
}

int __wrap_open64(const char *path, int flags, mode_t mode)
{
    return __wrap_open(path, flags, mode);
}

int __wrap_unlink(const char *path)
{
    unlinked++;
    return __real_unlink(path);
}

static const struct {
    const char *name;
    struct slice body;
    uint64_t exact, smtp;
    bool eight_bit, has_nul;
} cases[] = {
    { "empty", SLICE(""), 0, 0, false, false },
    { "one line", SLICE("a\n"), 3, 3, false, false },
    { "no final line end", SLICE("a\nb"), 4, 6, false, false },
    { "only line ends", SLICE("\n\n"), 4, 4, false, false },
    { "CR before LF", SLICE("a\r\n"), 4, 3, false, false },
    { "a run of CRs before LF", SLICE("a\r\r\r\nb\n"), 9, 6, false, false },
    { "a CR alone", SLICE("a\rb\n"), 5, 6, false, false },
    { "a run of CRs alone", SLICE("a\r\rb\n"), 6, 8, false, false },
    { "a CR at the end", SLICE("a\r"), 2, 3, false, false },
    { "only a CR", SLICE("\r"), 1, 2, false, false },
    { "CR first", SLICE("\rx\n"), 4, 5, false, false },
    { "LF CR", SLICE("\n\r"), 3, 4, false, false },
    { "dots stay", SLICE(".\n..\n"), 7, 7, false, false },
    { "8-bit", SLICE("\xc3\xa4\n"), 4, 4, true, false },
    { "0x80", SLICE("\x80"), 1, 3, true, false },
    { "NUL", SLICE("a\0b\n"), 5, 5, false, true },
};

static struct spool_file *spooled(const char *dir, struct slice body, size_t size)
{
    struct err e = ERR_INIT;
    struct chunks c = CHUNKS_INIT(body, size);
    struct spool_file *f = NULL;
    struct spool *s = NULL;
    struct slice in;

    OK(spool_new(dir, &s, &e));
    OK(spool_begin(s, &e));
    while (chunks_next(&c, &in))
        OK(spool_write(s, in, &e));
    OK(spool_finish(s, &f, &e));
    spool_free(&s);
    return f;
}

static void test_counts(void **state)
{
    struct err e = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        EVERY_CHUNK_SIZE(size, cases[i].body.n)
        {
            struct spool_file *f = spooled(box, cases[i].body, size);
            const struct spool_facts *facts = spool_facts(f);
            char got[64];
            size_t n;

            CASE("%s, chunks of %zu", cases[i].name, size);
            CHECK_INT(facts->lf_octets, cases[i].body.n);
            CHECK_INT(facts->exact_octets, cases[i].exact);
            CHECK_INT(facts->smtp_octets, cases[i].smtp);
            CHECK_INT(facts->eight_bit, cases[i].eight_bit);
            CHECK_INT(facts->has_nul, cases[i].has_nul);
            OK(spool_read(f, 0, got, sizeof(got), &n, &e));
            CHECK_SLICE(slice_make(got, n), cases[i].body);
            spool_release(&f);
        }
    }
}

static uint64_t wire_octets(enum crlf_form form, struct slice body)
{
    struct crlf c = CRLF_INIT(form);
    char out[64];
    size_t n = crlf_put(&c, &body, out, sizeof(out));

    CHECK_INT(body.n, 0);
    return n + crlf_end(&c, out);
}

/* BDAT and APPEND announce these counts, and send what crlf.c makes. */
static void test_counts_are_those_of_crlf(void **state)
{
    static const char letters[] = { '\r', '\n', 'a', '\r' };
    enum { LONGEST = 5 };

    (void)state;
    for (unsigned n = 1; n <= LONGEST; n++) {
        for (unsigned code = 0; code < 1u << (2 * n); code++) {
            char body[LONGEST];

            for (unsigned i = 0; i < n; i++)
                body[i] = letters[code >> (2 * i) & 3];
            for (size_t size = 1; size <= n; size++) {
                struct slice whole = slice_make(body, n);
                struct spool_file *f = spooled(box, whole, size);

                CASE("message %u of length %u, chunks of %zu", code, n, size);
                CHECK_INT(spool_facts(f)->exact_octets, wire_octets(CRLF_EXACT, whole));
                CHECK_INT(spool_facts(f)->smtp_octets, wire_octets(CRLF_SMTP, whole));
                spool_release(&f);
            }
        }
    }
}

static void test_reading(void **state)
{
    struct err e = ERR_INIT;
    struct spool_file *f = spooled(box, SLICE("0123456789"), 10);
    char got[16];
    size_t n;

    (void)state;
    CASE("by position, in any order");
    OK(spool_read(f, 7, got, 2, &n, &e));
    CHECK_SLICE(slice_make(got, n), SLICE("78"));
    OK(spool_read(f, 2, got, 3, &n, &e));
    CHECK_SLICE(slice_make(got, n), SLICE("234"));
    OK(spool_read(f, 8, got, sizeof(got), &n, &e));
    CHECK_SLICE(slice_make(got, n), SLICE("89"));
    CASE("at and behind the end");
    OK(spool_read(f, 10, got, sizeof(got), &n, &e));
    CHECK_INT(n, 0);
    OK(spool_read(f, UINT64_MAX, got, sizeof(got), &n, &e));
    CHECK_INT(n, 0);
    spool_release(&f);
    spool_release(&f);
}

/* The descriptor that spool_open() gives, read to its end. */
static void check_open(const struct spool_file *f, struct slice want)
{
    struct err e = ERR_INIT;
    struct buf got = BUF_INIT(100);
    int fd = -1;

    OK(spool_open(f, &fd, &e));
    CHECK_INT(io_read_all(fd, &got), 0);
    CHECK_SLICE(buf_slice(&got), want);
    CHECK_INT(fcntl(fd, F_GETFD), FD_CLOEXEC);
    io_close(&fd);
    buf_release(&got);
}

static void test_open(void **state)
{
    struct err e = ERR_INIT;
    struct spool_file *f = spooled(box, SLICE("one\ntwo\n"), 4);
    int fd = -1;

    (void)state;
    CASE("each descriptor begins at the start");
    check_open(f, SLICE("one\ntwo\n"));
    check_open(f, SLICE("one\ntwo\n"));
    CASE("it is for reading alone");
    OK(spool_open(f, &fd, &e));
    CHECK_INT(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    io_close(&fd);
    spool_release(&f);
}

static void test_open_without_proc(void **state)
{
    struct spool_file *f = spooled(box, SLICE("one\ntwo\n"), 4);

    (void)state;
    CASE("without /proc");
    mount_tiny("none", "size=64k");
    CHECK_INT(mount(in_box("none"), "/proc", NULL, MS_BIND, NULL), 0);
    check_open(f, SLICE("one\ntwo\n"));
    check_open(f, SLICE("one\ntwo\n"));
    CHECK_INT(count_entries("."), 1);
    umount2("/proc", MNT_DETACH);
    unmount_tiny("none");
    spool_release(&f);
}

static void test_directory(void **state)
{
    struct err e = ERR_INIT;
    struct spool *s = NULL;
    struct spool_file *f;
    struct stat st;
    int fd = -1;

    (void)state;
    CASE("made when it is missing, with what leads to it, and nothing is in it");
    f = spooled(in_box("a/b"), SLICE("x"), 1);
    check_mode("a", 0700);
    check_mode("a/b", 0700);
    CHECK_INT(count_entries("a/b"), 0);
    OK(spool_open(f, &fd, &e));
    CHECK_INT(fstat(fd, &st), 0);
    CHECK_INT(st.st_mode & 07777, 0600);
    io_close(&fd);
    spool_release(&f);
    CASE("not without a message");
    OK(spool_new(in_box("c"), &s, &e));
    spool_free(&s);
    CHECK(!is_there("c"));
    CASE("something else in its place");
    put_file("file", SLICE(""));
    OK(spool_new(in_box("file"), &s, &e));
    FAILS(spool_begin(s, &e), E_DISK, in_box("file"));
    spool_drop(s);
    spool_free(&s);
}

static void test_no_tmpfile(void **state)
{
    struct err e = ERR_INIT;
    struct spool_file *f;
    struct stat st;
    int fd = -1;

    (void)state;
    CASE("a file that loses its name at once");
    no_tmpfile = true;
    f = spooled(in_box("a"), SLICE("one\ntwo\n"), 3);
    no_tmpfile = false;
    CHECK_INT(unlinked, 1);
    CHECK_INT(count_entries("a"), 0);
    check_open(f, SLICE("one\ntwo\n"));
    OK(spool_open(f, &fd, &e));
    CHECK_INT(fstat(fd, &st), 0);
    CHECK_INT(st.st_mode & 07777, 0600);
    CHECK_INT(st.st_nlink, 0);
    io_close(&fd);
    spool_release(&f);
}

static void test_dropped(void **state)
{
    struct err e = ERR_INIT;
    struct spool *s = NULL;
    struct spool_file *f = NULL;

    (void)state;
    CASE("a message that was begun anew counts from nothing");
    OK(spool_new(box, &s, &e));
    OK(spool_begin(s, &e));
    OK(spool_write(s, SLICE("\xe4\0\r"), &e));
    OK(spool_begin(s, &e));
    OK(spool_write(s, SLICE("a"), &e));
    OK(spool_finish(s, &f, &e));
    CHECK_INT(spool_facts(f)->lf_octets, 1);
    CHECK_INT(spool_facts(f)->smtp_octets, 3);
    CHECK(!spool_facts(f)->eight_bit && !spool_facts(f)->has_nul);
    OK(spool_begin(s, &e));
    spool_drop(s);
    spool_drop(s);
    spool_release(&f);
    spool_free(&s);
}

static void test_truncated(void **state)
{
    struct err e = ERR_INIT;
    struct spool_file *f = spooled(box, SLICE("0123456789"), 10);
    char path[64], got[16];
    size_t n;
    int fd = -1;

    (void)state;
    CASE("a file that somebody cut is no short message");
    OK(spool_open(f, &fd, &e));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    CHECK_INT(truncate(path, 4), 0);
    io_close(&fd);
    OK(spool_read(f, 0, got, 4, &n, &e));
    CHECK_INT(n, 4);
    FAILS(spool_read(f, 0, got, sizeof(got), &n, &e), E_DISK, "cut short");
    FAILS(spool_read(f, 9, got, 1, &n, &e), E_DISK, box);
    FAILS(spool_open(f, &fd, &e), E_DISK, "cut short");
    CHECK_INT(fd, -1);
    spool_release(&f);
}

static void test_full_disk(void **state)
{
    static const char block[16384];
    struct err e = ERR_INIT;
    struct spool *s = NULL;
    struct spool_file *f = NULL;
    int rc = 0;

    (void)state;
    CASE("no space left");
    mount_tiny("tiny", "size=128k");
    OK(spool_new(in_box("tiny"), &s, &e));
    OK(spool_begin(s, &e));
    for (int i = 0; i < 100 && rc == 0; i++)
        rc = spool_write(s, slice_make(block, sizeof(block)), &e);
    CHECK_INT(rc, -1);
    CHECK_INT(e.code, E_DISK);
    unit_says(&e, "no space left on the disk; make room", __FILE__, __LINE__);
    CASE("what was dropped is free again");
    spool_drop(s);
    OK(spool_begin(s, &e));
    OK(spool_write(s, SLICE("a"), &e));
    OK(spool_finish(s, &f, &e));
    spool_release(&f);
    spool_free(&s);
    unmount_tiny("tiny");
}

/* Nothing can be opened any more. */
static void test_descriptors(void **state)
{
    struct err e = ERR_INIT;
    struct spool_file *f = spooled(box, SLICE("x"), 1);
    struct spool *s = NULL;
    struct rlimit was, none;
    int fd = -1, rc;

    (void)state;
    CASE("no descriptors");
    OK(spool_new(box, &s, &e));
    CHECK_INT(getrlimit(RLIMIT_NOFILE, &was), 0);
    none = was;
    none.rlim_cur = 3;
    CHECK_INT(setrlimit(RLIMIT_NOFILE, &none), 0);
    rc = spool_open(f, &fd, &e);
    CHECK_INT(rc == -1 && e.code == E_NOMEM, true);
    rc = spool_begin(s, &e);
    CHECK_INT(rc == -1 && e.code == E_NOMEM, true);
    CHECK_INT(setrlimit(RLIMIT_NOFILE, &was), 0);
    spool_release(&f);
    spool_free(&s);
}

static void *read_and_release(void *arg)
{
    struct spool_file *f = arg;
    struct err e = ERR_INIT;
    char got[4];
    size_t n = 0;

    for (int i = 0; i < 200; i++) {
        if (spool_read(f, (uint64_t)(i % 3), got, 2, &n, &e) != 0 || n != 2 || got[0] != "abcd"[i % 3])
            return arg;
    }
    spool_release(&f);
    return NULL;
}

static void test_threads(void **state)
{
    enum { READERS = 4 };
    pthread_t threads[READERS];
    struct spool_file *f = spooled(box, SLICE("abcd"), 4);

    (void)state;
    CASE("read and released by several threads");
    for (size_t i = 0; i < READERS; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, read_and_release, spool_keep(f)), 0);
    spool_release(&f);
    for (size_t i = 0; i < READERS; i++) {
        void *wrong = f;
        CHECK_INT(pthread_join(threads[i], &wrong), 0);
        CHECK(wrong == NULL);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, box_make, box_remove)
    const struct CMUnitTest tests[] = {
        TEST(test_counts),
        TEST(test_counts_are_those_of_crlf),
        TEST(test_reading),
        TEST(test_open),
        TEST(test_open_without_proc),
        TEST(test_directory),
        TEST(test_no_tmpfile),
        TEST(test_dropped),
        TEST(test_truncated),
        TEST(test_full_disk),
        TEST(test_descriptors),
        TEST(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
