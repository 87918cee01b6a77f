/* SPDX-License-Identifier: MIT */
#include "store/disk_int.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"

enum { DIR_FLAGS = O_RDONLY | O_DIRECTORY | O_CLOEXEC };

static const struct {
    int errnum;
    enum err_code code;
    const char *words;
} known[] = {
    { ENOSPC, E_DISK, "no space left on the disk; make room and run again" },
    { EDQUOT, E_DISK, "the disk quota is used up; make room and run again" },
    { EFBIG, E_DISK, "the file is larger than the file system or the limit of this process allows" },
    { EROFS, E_DISK, "the file system is mounted read-only; mount it writable" },
    { EACCES, E_DISK, "permission denied; it must belong to the user that mailhaul runs as" },
    { EPERM, E_DISK, "not permitted; look at its owner, its attributes and the mount options" },
    { EIO, E_DISK, "the disk reports an input/output error; check the disk and the system log" },
    { ENOENT, E_DISK, "it is not there (any more); is the disk mounted?" },
    { ENOTDIR, E_DISK, "there is something else in the place of a directory" },
    { ELOOP, E_DISK, "there is a symbolic link in its path, and mailhaul follows none here" },
    { EXDEV, E_DISK, "the path leads out of the directory that it must stay in" },
    { EISDIR, E_DISK, "there is a directory in the place of a file" },
    { EEXIST, E_DISK, "something of this name is there already" },
    { ENAMETOOLONG, E_DISK, "the name is too long for the file system" },
    { ESTALE, E_DISK, "the file server no longer knows it; mount it again" },
    { EMFILE, E_NOMEM, "too many open files; raise the limit (ulimit -n)" },
    { ENFILE, E_NOMEM, "too many open files in the whole system" },
    { ENOMEM, E_NOMEM, "out of memory" },
};

int disk_err(struct err *e, int errnum, const char *fmt, ...)
{
    char what[ERR_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (known[i].errnum == errnum)
            return err_set(e, known[i].code, "%s: %s", what, known[i].words);
    }
    return err_sys(e, E_DISK, errnum, "%s", what);
}

int disk_sync_dir(int fd)
{
    return fsync(fd) == 0 || errno == EINVAL ? 0 : -1;
}

/* What cannot be opened for reading was not made by us. */
int disk_sync_parent(int dir)
{
    int fd = openat(dir, "..", DIR_FLAGS), rc, saved;

    if (fd < 0)
        return 0;
    rc = disk_sync_dir(fd);
    saved = errno;
    io_close(&fd);
    errno = saved;
    return rc;
}

/* Makes `prefix`, for which `parent` is there. A directory is made only where the entry of its parent is durable,
 * which leaves the last one alone for the caller. */
static int make_component(const char *parent, const char *prefix)
{
    int fd, rc, saved;

    if (access(prefix, F_OK) == 0)
        return 0;
    fd = open(parent, DIR_FLAGS);
    rc = fd >= 0 ? disk_sync_parent(fd) : 0;
    saved = errno;
    io_close(&fd);
    errno = saved;
    return rc == 0 && (mkdir(prefix, 0700) == 0 || errno == EEXIST) ? 0 : -1;
}

int disk_make_dirs(const char *path)
{
    char *prefix = slice_dup(slice_str(path)), *parent = slice_dup(slice_str(*path == '/' ? "/" : "."));
    int rc = -1;

    for (size_t i = 1; prefix != NULL && parent != NULL && *path != '\0'; i++) {
        char was = prefix[i];
        if (was != '/' && was != '\0')
            continue;
        prefix[i] = '\0';
        if (make_component(parent, prefix) != 0)
            break;
        free(parent);
        parent = slice_dup(slice_str(prefix));
        prefix[i] = was;
        if (was == '\0') {
            rc = 0;
            break;
        }
    }
    free(prefix);
    free(parent);
    return rc;
}

void disk_warn_network(int dirfd, const char *path)
{
    enum { CIFS_MAGIC = (int)0xFF534D42, SMB2_MAGIC = (int)0xFE534D42 };
    static atomic_bool said;
    struct statfs fs;
    int type;

    if (fstatfs(dirfd, &fs) != 0)
        return;
    type = (int)fs.f_type;
    if (type != NFS_SUPER_MAGIC && type != SMB_SUPER_MAGIC && type != CIFS_MAGIC && type != SMB2_MAGIC)
        return;
    if (!atomic_exchange(&said, true))
        log_info("%s is on a network file system, where locks and SQLite cannot be relied on: set state_dir to a local "
                 "disk",
                 path);
}
