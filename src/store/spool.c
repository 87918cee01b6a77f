/* SPDX-License-Identifier: MIT */
#include "store/spool.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "store/disk_int.h"

struct spool_file {
    atomic_uint references;
    int fd;
    const char *dir;
    struct spool_facts facts;
};

struct spool {
    const char *dir;
    struct spool_file *current; /* the message that streams in; NULL: none */
    size_t crs;                 /* both as in struct crlf of wire/crlf.h */
    bool mid_line;
};

/* ---- a file without a name ---- */

/* Where the file system has none: a kill between the two calls leaves an empty file behind. */
static int open_unlinked(const char *dir)
{
    char path[4096];
    uint64_t random;
    int fd, n;

    do {
        if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
            return -1;
        n = snprintf(path, sizeof(path), "%s/.mailhaul-spool-%016" PRIx64, dir, random);
        if (n < 0 || (size_t)n >= sizeof(path)) {
            errno = ENAMETOOLONG;
            return -1;
        }
        fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    } while (fd < 0 && errno == EEXIST);
    if (fd >= 0 && unlink(path) != 0) {
        int saved = errno;
        io_close(&fd);
        errno = saved;
    }
    return fd;
}

static int open_nameless(const char *dir)
{
    int fd = open(dir, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);

    if (fd >= 0)
        return fd;
    /* EISDIR and EINVAL: a kernel or a file system that does not know the flag, and opens a directory. */
    return errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL || errno == ENOSYS ? open_unlinked(dir) : -1;
}

static struct spool_file *file_new(const char *dir, struct err *e)
{
    struct spool_file *f = calloc(1, sizeof(*f));

    if (f == NULL) {
        err_nomem(e);
        return NULL;
    }
    atomic_init(&f->references, 1);
    f->dir = dir;
    f->fd = open_nameless(dir);
    if (f->fd < 0 && errno == ENOENT && disk_make_dirs(dir) == 0)
        f->fd = open_nameless(dir);
    if (f->fd < 0) {
        disk_err(e, errno, "the spool directory %s", dir);
        spool_release(&f);
    }
    return f;
}

/* ---- writing ---- */

int spool_new(const char *dir, struct spool **out, struct err *e)
{
    *out = calloc(1, sizeof(**out));
    if (*out == NULL)
        return err_nomem(e);
    (*out)->dir = dir;
    return 0;
}

void spool_free(struct spool **s)
{
    if (*s != NULL)
        spool_drop(*s);
    free(*s);
    *s = NULL;
}

int spool_begin(struct spool *s, struct err *e)
{
    spool_drop(s);
    s->crs = 0;
    s->mid_line = false;
    s->current = file_new(s->dir, e);
    return s->current != NULL ? 0 : -1;
}

void spool_drop(struct spool *s)
{
    spool_release(&s->current);
}

/* The same decisions as crlf_put(), without writing anything. */
static void count_smtp(struct spool *s, struct slice in)
{
    uint64_t octets = 0;

    for (size_t i = 0; i < in.n; i++) {
        char c = in.p[i];

        if (c == '\r') {
            s->crs++;
            continue;
        }
        octets += c == '\n' ? 2 : 2 * s->crs + 1;
        s->mid_line = c != '\n';
        s->crs = 0;
    }
    s->current->facts.smtp_octets += octets;
}

static void count(struct spool *s, struct slice in)
{
    struct spool_facts *f = &s->current->facts;
    unsigned char high = 0;
    size_t line_ends = 0;

    for (size_t i = 0; i < in.n; i++) {
        high |= (unsigned char)in.p[i];
        line_ends += in.p[i] == '\n';
    }
    f->lf_octets += in.n;
    f->exact_octets += in.n + line_ends;
    f->eight_bit = f->eight_bit || high > 0x7f;
    f->has_nul = f->has_nul || slice_has_nul(in);
    if (s->crs > 0 || memchr(in.p, '\r', in.n) != NULL) {
        count_smtp(s, in);
    } else {
        f->smtp_octets += in.n + line_ends;
        s->mid_line = in.p[in.n - 1] != '\n';
    }
}

int spool_write(struct spool *s, struct slice bytes, struct err *e)
{
    if (bytes.n == 0)
        return 0;
    if (io_write_all(s->current->fd, bytes.p, bytes.n) != 0)
        return disk_err(e, errno, "the spool directory %s", s->dir);
    count(s, bytes);
    return 0;
}

int spool_finish(struct spool *s, struct spool_file **out, struct err *e)
{
    (void)e;
    if (s->crs > 0 || s->mid_line)
        s->current->facts.smtp_octets += 2;
    *out = s->current;
    s->current = NULL;
    return 0;
}

/* ---- bodies ---- */

struct spool_file *spool_keep(struct spool_file *f)
{
    atomic_fetch_add(&f->references, 1);
    return f;
}

void spool_release(struct spool_file **file)
{
    struct spool_file *f = *file;

    *file = NULL;
    if (f == NULL || atomic_fetch_sub(&f->references, 1) != 1)
        return;
    io_close(&f->fd);
    free(f);
}

const struct spool_facts *spool_facts(const struct spool_file *f)
{
    return &f->facts;
}

static int cut_short(const struct spool_file *f, struct err *e)
{
    return err_set(e, E_DISK, "a message in the spool directory %s was cut short by another program", f->dir);
}

int spool_read(const struct spool_file *f, uint64_t offset, char *out, size_t size, size_t *n_out, struct err *e)
{
    uint64_t left = offset < f->facts.lf_octets ? f->facts.lf_octets - offset : 0;
    size_t want = left < size ? (size_t)left : size;

    *n_out = 0;
    while (*n_out < want) {
        ssize_t got = pread(f->fd, out + *n_out, want - *n_out, (off_t)(offset + *n_out));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return disk_err(e, errno, "a message in the spool directory %s cannot be read", f->dir);
        if (got == 0)
            return cut_short(f, e);
        *n_out += (size_t)got;
    }
    return 0;
}

static int copy_to(const struct spool_file *f, int fd, struct err *e)
{
    char chunk[16 * 1024];
    uint64_t at = 0;
    size_t n;

    do {
        if (spool_read(f, at, chunk, sizeof(chunk), &n, e) != 0)
            return -1;
        if (io_write_all(fd, chunk, n) != 0)
            return disk_err(e, errno, "the spool directory %s", f->dir);
        at += n;
    } while (n > 0);
    if (lseek(fd, 0, SEEK_SET) != 0)
        return disk_err(e, errno, "the spool directory %s", f->dir);
    return 0;
}

int spool_open(const struct spool_file *f, int *fd_out, struct err *e)
{
    char path[40];
    struct spool_file *copy;
    struct stat st;
    int rc;

    *fd_out = -1;
    if (fstat(f->fd, &st) != 0 || (uint64_t)st.st_size != f->facts.lf_octets)
        return cut_short(f, e);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", f->fd);
    *fd_out = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd_out >= 0)
        return 0;
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
        return disk_err(e, errno, "a message in the spool directory %s", f->dir);
    /* Without /proc. A duplicate would share its place in the file with every other reader. */
    copy = file_new(f->dir, e);
    if (copy == NULL)
        return -1;
    rc = copy_to(f, copy->fd, e);
    if (rc == 0) {
        *fd_out = copy->fd;
        copy->fd = -1;
    }
    spool_release(&copy);
    return rc;
}
