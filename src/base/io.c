/* SPDX-License-Identifier: MIT */
#include "base/io.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int io_write_all(int fd, const void *bytes, size_t n)
{
    const char *p = bytes;

    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -1;
        p += done;
        n -= (size_t)done;
    }
    return 0;
}

/* Room for a whole file at once: a buffer that grew would leave copies of secrets behind. */
static int make_room(int fd, struct buf *out)
{
    struct stat st;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size >= out->max - out->len)
        return 0;
    return buf_reserve(out, (size_t)st.st_size + 1);
}

int io_read_all(int fd, struct buf *out)
{
    enum { CHUNK = 16384 };

    if (make_room(fd, out) != 0) {
        errno = ENOMEM;
        return -1;
    }
    for (;;) {
        size_t room = out->cap > out->len + 1 ? out->cap - out->len - 1 : size_min(CHUNK, out->max - out->len);
        ssize_t got;

        room = size_min(room, out->max - out->len);
        if (room == 0) {
            char extra;
            got = read(fd, &extra, 1);
            if (got == 0)
                return 0;
            if (got < 0 && errno == EINTR)
                continue;
            errno = got < 0 ? errno : EFBIG;
            return -1;
        }
        if (buf_reserve(out, room) != 0) {
            errno = ENOMEM;
            return -1;
        }
        got = read(fd, out->p + out->len, room);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            return 0;
        buf_grew(out, (size_t)got);
    }
}

int io_replace_file(int dirfd, const char *name, struct slice bytes, bool durable)
{
    struct buf tmp = BUF_INIT(512);
    int fd = -1, rc = -1, saved;

    if (buf_putf(&tmp, ".%s.new", name) != 0) {
        errno = ENAMETOOLONG;
        goto out;
    }
    fd = openat(dirfd, buf_cstr(&tmp), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        goto out;
    if (io_write_all(fd, bytes.p, bytes.n) != 0 || (durable && fsync(fd) != 0) ||
        renameat(dirfd, buf_cstr(&tmp), dirfd, name) != 0) {
        saved = errno;
        unlinkat(dirfd, buf_cstr(&tmp), 0);
        errno = saved;
        goto out;
    }
    if (durable && fsync(dirfd) != 0)
        goto out;
    rc = 0;
out:
    saved = errno;
    io_close(&fd);
    buf_release(&tmp);
    errno = saved;
    return rc;
}

void io_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}
