/* SPDX-License-Identifier: MIT */
#include "run/login_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

enum { PATH_BYTES_MAX = 8192 };

int login_file_open(struct login_file *f, const struct conf_login *l, const char *suffix, struct err *e)
{
    const char *slash = strrchr(l->state, '/');
    struct buf path = BUF_INIT(PATH_BYTES_MAX);
    int rc = -1;

    *f = (struct login_file){ .dir = -1, .name = BUF_INIT(PATH_BYTES_MAX) };
    if (slash == NULL || buf_put(&path, l->state, (size_t)(slash - l->state)) != 0 ||
        buf_putf(&f->name, "%s%s", slash + 1, suffix) != 0) {
        (void)err_nomem(e);
        goto out;
    }
    f->dir = open(path.len > 0 ? buf_cstr(&path) : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    rc = f->dir >= 0 ? 0 : err_sys(e, E_DISK, errno, "state directory %s", buf_cstr(&path));
out:
    buf_release(&path);
    return rc;
}

void login_file_release(struct login_file *f)
{
    io_close(&f->dir);
    buf_release(&f->name);
}

int login_file_read(const struct login_file *f, struct buf *out, struct err *e)
{
    int fd = openat(f->dir, buf_cstr(&f->name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), rc = 0;
    struct stat about;

    if (fd < 0)
        return errno == ENOENT ? 0 : err_sys(e, E_DISK, errno, "state file %s", buf_cstr(&f->name));
    if (fstat(fd, &about) != 0)
        rc = err_sys(e, E_DISK, errno, "state file %s", buf_cstr(&f->name));
    else if (!S_ISREG(about.st_mode) || about.st_uid != geteuid() || (about.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        rc = err_set(e, E_DISK, "state file %s is not this user's alone (chmod 600, and the right owner)",
                     buf_cstr(&f->name));
    else if (io_read_all(fd, out) != 0)
        rc = err_sys(e, E_DISK, errno, "state file %s", buf_cstr(&f->name));
    io_close(&fd);
    return rc;
}

int login_file_write(const struct login_file *f, struct slice bytes, bool durable, struct err *e)
{
    if (io_replace_file(f->dir, buf_cstr(&f->name), bytes, durable) == 0)
        return 0;
    return err_sys(e, E_DISK, errno, "state file %s", buf_cstr(&f->name));
}
