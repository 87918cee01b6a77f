/* SPDX-License-Identifier: MIT */
#include "store/lock.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/io.h"
#include "base/num.h"
#include "store/disk_int.h"

/* The file is one record of fixed length, so that it is replaced by one write and never needs to be cut:
 * the holder's process id, right-aligned, a blank, and "busy" or "idle", LF. */
enum { RECORD_LEN = 16, PID_WIDTH = 10 };

static void record_write(const struct lock *l)
{
    char record[64];

    snprintf(record, sizeof(record), "%*ld %s\n", PID_WIDTH, (long)getpid(), l->busy ? "busy" : "idle");
    /* What cannot be written is only a hint: the lock itself is the kernel's. */
    if (pwrite(l->fd, record, RECORD_LEN, 0) != RECORD_LEN)
        return;
}

/* False for a file that is new or not ours to understand. */
static bool record_read(int fd, uint32_t *pid_out, bool *busy_out)
{
    char record[RECORD_LEN];
    struct slice pid = slice_make(record, PID_WIDTH);

    if (pread(fd, record, RECORD_LEN, 0) != RECORD_LEN)
        return false;
    *busy_out = slice_eq(slice_make(record + PID_WIDTH + 1, 4), SLICE("busy"));
    return num_parse_u32(slice_trim(pid), pid_out) == 0;
}

static int held_by_other(int fd, struct err *e)
{
    uint32_t pid = 0;
    bool busy;

    if (record_read(fd, &pid, &busy) && pid != 0)
        return err_set(e, E_LOCKED, "another mailhaul (process %" PRIu32 ") is at work on this account", pid);
    return err_set(e, E_LOCKED, "another mailhaul is at work on this account");
}

int lock_take(struct lock *l, int dirfd, const char *name, bool read_only, struct err *e)
{
    int flags = (read_only ? O_RDONLY : O_RDWR | O_CREAT) | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    uint32_t pid;

    *l = LOCK_INIT;
    l->fd = openat(dirfd, name, flags, 0600);
    if (l->fd < 0 && read_only && errno == ENOENT)
        return 0;
    if (l->fd < 0)
        return disk_err(e, errno, "lock file %s", name);
    if (flock(l->fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            held_by_other(l->fd, e);
        else
            disk_err(e, errno, "lock file %s", name);
        io_close(&l->fd);
        return -1;
    }
    record_read(l->fd, &pid, &l->was_busy);
    l->busy = l->was_busy;
    if (!read_only)
        record_write(l);
    return 0;
}

void lock_release(struct lock *l)
{
    io_close(&l->fd);
    *l = LOCK_INIT;
}

bool lock_was_busy(const struct lock *l)
{
    return l->was_busy;
}

static void mark(struct lock *l, bool busy)
{
    if (l->fd < 0 || l->busy == busy)
        return;
    l->busy = busy;
    record_write(l);
}

void lock_mark_busy(struct lock *l)
{
    mark(l, true);
}

void lock_mark_clean(struct lock *l)
{
    mark(l, false);
}
