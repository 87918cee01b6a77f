/* SPDX-License-Identifier: MIT
 * faults.so - makes the n-th call of one family fail. For LD_PRELOAD, into a build without sanitizers.
 *
 *     FAULT_CALL        malloc | write | fsync | open | rename | mkdir | close | truncate | unlink
 *     FAULT_AT          which call fails, 1 is the first; 0 or unset: none, only counted
 *     FAULT_ERRNO       ENOSPC, EIO, EDQUOT, EACCES, EMFILE, ENOMEM or EINTR; EIO by default
 *     FAULT_STICKY      1: all later ones fail too
 *     FAULT_PATH        only calls on paths that begin so (calls on descriptors: what the descriptor is open on)
 *     FAULT_AFTER       nothing is counted before a file or directory on a path that begins so was opened
 *     FAULT_COUNT_FILE  a file that holds the number of calls counted so far, as a 64-bit number in the machine's order
 *
 * A failing close still closes: Linux never leaves the descriptor open.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

static struct {
    int ready, sticky, error;
    const char *call, *path, *after;
    uint64_t at;
    _Atomic uint64_t *count;
} plan;
static _Atomic uint64_t own_count;
static atomic_bool begun;

__attribute__((constructor)) static void read_plan(void)
{
    static const struct {
        const char *name;
        int value;
    } errors[] = { { "ENOSPC", ENOSPC }, { "EIO", EIO },       { "EDQUOT", EDQUOT }, { "EACCES", EACCES },
                   { "EMFILE", EMFILE }, { "ENOMEM", ENOMEM }, { "EINTR", EINTR } };
    const char *at = getenv("FAULT_AT"), *error = getenv("FAULT_ERRNO"), *sticky = getenv("FAULT_STICKY"),
               *file = getenv("FAULT_COUNT_FILE");
    plan.call = getenv("FAULT_CALL");
    plan.path = getenv("FAULT_PATH");
    plan.after = getenv("FAULT_AFTER");
    atomic_store(&begun, plan.after == NULL);
    plan.at = at ? strtoull(at, NULL, 10) : 0;
    plan.sticky = sticky && *sticky == '1';
    plan.error = EIO;
    for (size_t i = 0; error && i < sizeof errors / sizeof *errors; i++) {
        if (strcmp(errors[i].name, error) == 0)
            plan.error = errors[i].value;
    }
    plan.count = &own_count;
    if (file) {
        int fd = (int)syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fd >= 0 && syscall(SYS_ftruncate, fd, 8) == 0) {
            void *map = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
            if (map != MAP_FAILED)
                plan.count = map;
        }
        if (fd >= 0)
            syscall(SYS_close, fd);
    }
    plan.ready = plan.call != NULL;
}

/* Counts a call of this family and tells whether it is to fail. */
static int fails(const char *call, const char *path, int fd)
{
    char link[64], target[4096];
    if (!plan.ready || !atomic_load(&begun) || strcmp(call, plan.call) != 0)
        return 0;
    if (plan.path) {
        if (!path) {
            int saved = errno;
            snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
            ssize_t n = readlink(link, target, sizeof target - 1);
            errno = saved;
            target[n > 0 ? n : 0] = 0;
            path = target;
        }
        if (strncmp(path, plan.path, strlen(plan.path)) != 0)
            return 0;
    }
    uint64_t n = atomic_fetch_add(plan.count, 1) + 1;
    if (plan.at == 0 || n < plan.at || (n > plan.at && !plan.sticky))
        return 0;
    errno = strcmp(call, "malloc") == 0 ? ENOMEM : plan.error;
    return 1;
}

/* A path relative to a directory descriptor, as one path, when anything depends on it. */
static const char *joined(int dir, const char *path, char *room, size_t size)
{
    char link[64];
    if ((!plan.path && !plan.after) || path[0] == '/' || dir == AT_FDCWD)
        return path;
    snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
    ssize_t n = readlink(link, room, size - 1);
    if (n < 0)
        return path;
    snprintf(room + n, size - (size_t)n, "/%s", path);
    return room;
}

#define NEXT(type, name, ...)                                                                                          \
    static type (*next)(__VA_ARGS__);                                                                                  \
    if (!next)                                                                                                         \
    *(void **)&next = dlsym(RTLD_NEXT, name)

void *malloc(size_t n)
{
    return fails("malloc", "", -1) ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t m)
{
    return fails("malloc", "", -1) ? NULL : __libc_calloc(n, m);
}

void *realloc(void *p, size_t n)
{
    return fails("malloc", "", -1) ? NULL : __libc_realloc(p, n);
}

ssize_t write(int fd, const void *data, size_t n)
{
    NEXT(ssize_t, "write", int, const void *, size_t);
    return fails("write", NULL, fd) ? -1 : next(fd, data, n);
}

ssize_t pwrite(int fd, const void *data, size_t n, off_t at)
{
    NEXT(ssize_t, "pwrite", int, const void *, size_t, off_t);
    return fails("write", NULL, fd) ? -1 : next(fd, data, n, at);
}

ssize_t pwrite64(int fd, const void *data, size_t n, off64_t at)
{
    NEXT(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    return fails("write", NULL, fd) ? -1 : next(fd, data, n, at);
}

ssize_t writev(int fd, const struct iovec *v, int n)
{
    NEXT(ssize_t, "writev", int, const struct iovec *, int);
    return fails("write", NULL, fd) ? -1 : next(fd, v, n);
}

int fsync(int fd)
{
    NEXT(int, "fsync", int);
    return fails("fsync", NULL, fd) ? -1 : next(fd);
}

int fdatasync(int fd)
{
    NEXT(int, "fdatasync", int);
    return fails("fsync", NULL, fd) ? -1 : next(fd);
}

int ftruncate(int fd, off_t n)
{
    NEXT(int, "ftruncate", int, off_t);
    return fails("truncate", NULL, fd) ? -1 : next(fd, n);
}

int ftruncate64(int fd, off64_t n)
{
    NEXT(int, "ftruncate64", int, off64_t);
    return fails("truncate", NULL, fd) ? -1 : next(fd, n);
}

int close(int fd)
{
    int fail = fails("close", NULL, fd);
    int status = (int)syscall(SYS_close, fd);
    if (fail) {
        errno = plan.error;
        return -1;
    }
    return status;
}

static int open_any(int dir, const char *path, int flags, mode_t mode)
{
    char room[8192];
    if (plan.after && strncmp(joined(dir, path, room, sizeof room), plan.after, strlen(plan.after)) == 0)
        atomic_store(&begun, true);
    if (fails("open", joined(dir, path, room, sizeof room), -1))
        return -1;
    return (int)syscall(SYS_openat, dir, path, flags, mode);
}

#define MODE_OF(flags)                                                                                                 \
    mode_t mode = 0;                                                                                                   \
    if ((flags) & (O_CREAT | __O_TMPFILE)) {                                                                           \
        va_list list;                                                                                                  \
        va_start(list, flags);                                                                                         \
        mode = va_arg(list, mode_t);                                                                                   \
        va_end(list);                                                                                                  \
    }

int open(const char *path, int flags, ...)
{
    MODE_OF(flags)
    return open_any(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    MODE_OF(flags)
    return open_any(AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
    MODE_OF(flags)
    return open_any(dir, path, flags, mode);
}

int openat64(int dir, const char *path, int flags, ...)
{
    MODE_OF(flags)
    return open_any(dir, path, flags | O_LARGEFILE, mode);
}

static int rename_any(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    char room[8192];
    if (fails("rename", joined(to_dir, to, room, sizeof room), -1))
        return -1;
    return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

int rename(const char *from, const char *to)
{
    return rename_any(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    return rename_any(from_dir, from, to_dir, to, 0);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    return rename_any(from_dir, from, to_dir, to, flags);
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    char room[8192];
    if (fails("rename", joined(to_dir, to, room, sizeof room), -1))
        return -1;
    return (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
}

int link(const char *from, const char *to)
{
    return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int mkdirat(int dir, const char *path, mode_t mode)
{
    char room[8192];
    if (fails("mkdir", joined(dir, path, room, sizeof room), -1))
        return -1;
    return (int)syscall(SYS_mkdirat, dir, path, mode);
}

int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}

int unlinkat(int dir, const char *path, int flags)
{
    char room[8192];
    if (fails("unlink", joined(dir, path, room, sizeof room), -1))
        return -1;
    return (int)syscall(SYS_unlinkat, dir, path, flags);
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}
