/* SPDX-License-Identifier: MIT */
#include "base/io.h"

#include "../unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

static int dir_fd = -1;
static char dir_path[] = "/tmp/mailhaul-test-io-XXXXXX";

static int make_dir(void **state)
{
    (void)state;
    if (mkdtemp(dir_path) == NULL)
        return -1;
    dir_fd = open(dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return dir_fd < 0 ? -1 : 0;
}

static int remove_dir(void **state)
{
    static const char *const names[] = { "file", ".file.new", "elsewhere" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        (void)unlinkat(dir_fd, names[i], 0);
    (void)unlinkat(dir_fd, "directory", AT_REMOVEDIR);
    io_close(&dir_fd);
    return rmdir(dir_path);
}

static void check_file(const char *name, struct slice want)
{
    struct buf got = BUF_INIT(1000);
    int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);

    CHECK(fd >= 0);
    CHECK_INT(io_read_all(fd, &got), 0);
    CHECK_SLICE(buf_slice(&got), want);
    buf_release(&got);
    io_close(&fd);
}

enum { PIPE_BYTES = 1 << 20 };

static void *drain(void *arg)
{
    int fd = *(int *)arg;
    struct buf *got = malloc(sizeof(*got));

    if (got == NULL)
        return NULL;
    buf_init(got, PIPE_BYTES);
    if (io_read_all(fd, got) != 0)
        got->len = 0;
    return got;
}

static void test_through_a_pipe(void **state)
{
    char *bytes = malloc(PIPE_BYTES);
    int fds[2];
    pthread_t thread;
    void *result;
    struct buf *got;

    (void)state;
    CASE("more than a pipe holds");
    assert_non_null(bytes);
    for (size_t i = 0; i < PIPE_BYTES; i++)
        bytes[i] = (char)(i * 7 >> 3);
    CHECK_INT(pipe2(fds, O_CLOEXEC), 0);
    CHECK_INT(pthread_create(&thread, NULL, drain, &fds[0]), 0);
    CHECK_INT(io_write_all(fds[1], bytes, PIPE_BYTES), 0);
    io_close(&fds[1]);
    CHECK_INT(fds[1], -1);
    CHECK_INT(pthread_join(thread, &result), 0);
    got = result;
    assert_non_null(got);
    CHECK(slice_eq(buf_slice(got), slice_make(bytes, PIPE_BYTES)));
    buf_release(got);
    free(got);
    free(bytes);
    io_close(&fds[0]);
    io_close(&fds[0]);
}

static void test_read_limit(void **state)
{
    (void)state;
    CHECK_INT(io_replace_file(dir_fd, "file", SLICE("0123456789"), false), 0);
    for (size_t max = 0; max <= 12; max++) {
        struct buf got = BUF_INIT(max);
        int fd = openat(dir_fd, "file", O_RDONLY | O_CLOEXEC);

        CASE("ten bytes into a buffer for %zu", max);
        errno = 0;
        CHECK_INT(io_read_all(fd, &got), max >= 10 ? 0 : -1);
        CHECK_INT(errno, max >= 10 ? 0 : EFBIG);
        CHECK_INT(got.len, size_min(max, 10));
        buf_release(&got);
        io_close(&fd);
    }
}

static void test_replace(void **state)
{
    struct stat st;

    (void)state;
    for (int durable = 0; durable <= 1; durable++) {
        CASE("durable %d", durable);
        CHECK_INT(io_replace_file(dir_fd, "file", SLICE("old contents"), durable), 0);
        check_file("file", SLICE("old contents"));
        CHECK_INT(io_replace_file(dir_fd, "file", SLICE("new\0"), durable), 0);
        check_file("file", SLICE("new\0"));
        CHECK_INT(fstatat(dir_fd, "file", &st, 0), 0);
        CHECK_INT(st.st_mode & 07777, 0600);
        CHECK_INT(faccessat(dir_fd, ".file.new", F_OK, 0), -1);
    }
    CASE("a temporary file that a broken run left");
    CHECK_INT(renameat(dir_fd, "file", dir_fd, ".file.new"), 0);
    CHECK_INT(io_replace_file(dir_fd, "file", SLICE("x"), true), 0);
    check_file("file", SLICE("x"));
}

static void test_replace_fails(void **state)
{
    char name[600];

    (void)state;
    CASE("a directory has the name");
    CHECK_INT(mkdirat(dir_fd, "directory", 0700), 0);
    CHECK_INT(io_replace_file(dir_fd, "directory", SLICE("x"), true), -1);
    CHECK_INT(errno, EISDIR);
    CHECK_INT(faccessat(dir_fd, ".directory.new", F_OK, 0), -1);
    CASE("a symbolic link waits under the temporary name");
    CHECK_INT(io_replace_file(dir_fd, "file", SLICE("kept"), false), 0);
    CHECK_INT(io_replace_file(dir_fd, "elsewhere", SLICE("untouched"), false), 0);
    CHECK_INT(symlinkat("elsewhere", dir_fd, ".file.new"), 0);
    CHECK_INT(io_replace_file(dir_fd, "file", SLICE("x"), false), -1);
    CHECK_INT(errno, ELOOP);
    check_file("elsewhere", SLICE("untouched"));
    check_file("file", SLICE("kept"));
    CASE("a name beyond all measure");
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    CHECK_INT(io_replace_file(dir_fd, name, SLICE("x"), false), -1);
    CHECK_INT(errno, ENAMETOOLONG);
}

static void test_errors(void **state)
{
    struct buf got = BUF_INIT(10);
    int fd = openat(dir_fd, "file", O_RDONLY | O_CLOEXEC);

    (void)state;
    CASE("writing where one may only read");
    CHECK_INT(io_write_all(fd, "x", 1), -1);
    CHECK_INT(errno, EBADF);
    CASE("nothing to write is no error");
    CHECK_INT(io_write_all(fd, NULL, 0), 0);
    CASE("reading a directory");
    CHECK_INT(io_read_all(dir_fd, &got), -1);
    CHECK_INT(errno, EISDIR);
    buf_release(&got);
    io_close(&fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_through_a_pipe), cmocka_unit_test(test_read_limit), cmocka_unit_test(test_replace),
        cmocka_unit_test(test_replace_fails),  cmocka_unit_test(test_errors),
    };

    return cmocka_run_group_tests_name("io", tests, make_dir, remove_dir);
}
