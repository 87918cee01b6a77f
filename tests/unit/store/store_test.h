/* SPDX-License-Identifier: MIT
 * store_test.h - what the tests of store/ share: a directory of the test's own, and small looks at files.
 */
#ifndef MAILHAUL_STORE_TEST_H
#define MAILHAUL_STORE_TEST_H

#include "../unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"

/* A call that must work; `e` is the struct err at hand. */
#define OK(call) unit_ok((call), &e, #call, __FILE__, __LINE__)
/* A call that must fail with this code and these words somewhere in its text. */
#define FAILS(call, want_code, words)                                                                                  \
    do {                                                                                                               \
        CHECK_INT((call), -1);                                                                                         \
        CHECK_INT(e.code, want_code);                                                                                  \
        unit_says(&e, words, __FILE__, __LINE__);                                                                      \
    } while (0)

static inline void unit_ok(int rc, const struct err *e, const char *call, const char *file, int line)
{
    if (rc == 0)
        return;
    print_error("case: %s\n    %s: %s\n", unit_case, call, e->text);
    _fail(file, line);
}

static inline void unit_says(const struct err *e, const char *words, const char *file, int line)
{
    if (strstr(e->text, words) != NULL)
        return;
    print_error("case: %s\n    \"%s\" does not say \"%s\"\n", unit_case, e->text, words);
    _fail(file, line);
}

static char box[128]; /* the test's directory */
static int box_fd = -1;

static inline int box_make(void **state)
{
    const char *tmp = getenv("TMPDIR");

    (void)state;
    snprintf(box, sizeof(box), "%s/mailhaul-unit-XXXXXX", tmp != NULL && strlen(tmp) < 90 ? tmp : "/tmp");
    if (mkdtemp(box) == NULL)
        return -1;
    box_fd = open(box, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return box_fd < 0 ? -1 : 0;
}

static inline int box_remove_one(const char *path, const struct stat *sb, int type, struct FTW *at)
{
    (void)sb, (void)type, (void)at;
    return remove(path);
}

static inline int box_remove(void **state)
{
    (void)state;
    io_close(&box_fd);
    return nftw(box, box_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* box/NAME; good until the fourth next call. */
static inline const char *in_box(const char *name)
{
    static char paths[4][512];
    static unsigned turn;
    char *p = paths[turn++ % 4];

    snprintf(p, sizeof(paths[0]), "%s/%s", box, name);
    return p;
}

static inline void put_file(const char *name, struct slice bytes)
{
    int fd = openat(box_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    CHECK(fd >= 0);
    CHECK_INT(io_write_all(fd, bytes.p, bytes.n), 0);
    io_close(&fd);
}

static inline void check_file(const char *name, struct slice want)
{
    struct buf got = BUF_INIT(65536);
    int fd = openat(box_fd, name, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        print_error("%s is not there\n", name);
    CHECK(fd >= 0);
    CHECK_INT(io_read_all(fd, &got), 0);
    io_close(&fd);
    CHECK_SLICE(buf_slice(&got), want);
    buf_release(&got);
}

static inline bool is_there(const char *name)
{
    struct stat sb;

    return fstatat(box_fd, name, &sb, AT_SYMLINK_NOFOLLOW) == 0;
}

static inline void check_mode(const char *name, unsigned want)
{
    struct stat sb;

    CASE("mode of %.200s", name);
    CHECK_INT(fstatat(box_fd, name, &sb, 0), 0);
    CHECK_INT(sb.st_mode & 07777, want);
}

/* How many entries a directory has, "." and ".." apart. */
static inline int count_entries(const char *name)
{
    int fd = openat(box_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = 0;
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

    CHECK(dir != NULL);
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n - 2;
}

/* A file system of its own at box/NAME, gone with the process. Only root may; else the test is skipped, visibly. */
static inline void mount_tiny(const char *name, const char *options)
{
    CHECK_INT(mkdirat(box_fd, name, 0700), 0);
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", in_box(name), "tmpfs", 0, options) != 0) {
        print_message("skipped: no right to mount a small file system\n");
        skip();
    }
}

static inline void unmount_tiny(const char *name)
{
    umount2(in_box(name), MNT_DETACH);
}

#endif
