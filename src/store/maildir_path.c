/* SPDX-License-Identifier: MIT */
#include "store/maildir_int.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef SYS_openat2
#include <linux/openat2.h>
#endif

#include "base/io.h"
#include "base/step.h"
#include "store/disk_int.h"

enum { DIR_FLAGS = O_RDONLY | O_DIRECTORY | O_CLOEXEC, REL_MAX = LIMIT_FOLDER_NAME * 3 + 16 };

/* ---- reaching a directory ---- */

static int open_beneath(struct maildir *md, const char *rel)
{
#ifdef SYS_openat2
    enum { TRIES = 16 };
    struct open_how how = { .flags = DIR_FLAGS, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };

    for (int i = 0; i < TRIES; i++) {
        long fd = syscall(SYS_openat2, md->root, rel, &how, sizeof(how));
        /* EAGAIN: something was renamed meanwhile, and the kernel will not swear that the path stayed inside. */
        if (fd >= 0 || errno != EAGAIN)
            return (int)fd;
    }
    return -1;
#else
    (void)md, (void)rel;
    errno = ENOSYS;
    return -1;
#endif
}

/* Cuts the first component off *rest. */
static struct slice next_component(struct slice *rest)
{
    const char *end;
    struct slice component;

    while (rest->n > 0 && rest->p[0] == '/')
        *rest = slice_from(*rest, 1);
    end = rest->n > 0 ? memchr(rest->p, '/', rest->n) : NULL;
    component = slice_make(rest->p, end != NULL ? (size_t)(end - rest->p) : rest->n);
    *rest = slice_from(*rest, component.n);
    return component;
}

static int open_component(int at, struct slice component)
{
    char name[NAME_MAX + 1];

    if (component.n > NAME_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (slice_eq(component, SLICE("..")) || slice_has_nul(component)) {
        errno = EXDEV;
        return -1;
    }
    memcpy(name, component.p, component.n);
    name[component.n] = '\0';
    return openat(at, name, DIR_FLAGS | O_NOFOLLOW);
}

/* What openat2() does, for kernels without it. */
static int open_by_components(struct maildir *md, const char *rel)
{
    struct slice rest = slice_str(rel), component = next_component(&rest);
    int fd = openat(md->root, ".", DIR_FLAGS);

    while (fd >= 0 && component.n > 0) {
        int parent = fd, saved;
        fd = open_component(parent, component);
        saved = errno;
        io_close(&parent);
        errno = saved;
        component = next_component(&rest);
    }
    /* O_NOFOLLOW with O_DIRECTORY says ENOTDIR of a symbolic link. */
    return fd;
}

int maildir_open_dir(struct maildir *md, const char *rel, const char *sub)
{
    char path[REL_MAX];
    int fd, n;

    n = snprintf(path, sizeof(path), "%s%s%s", rel, *rel != '\0' && *sub != '\0' ? "/" : "", sub);
    if (n < 0 || (size_t)n >= sizeof(path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (n == 0)
        memcpy(path, ".", 2);
    if (!atomic_load(&md->no_openat2)) {
        fd = open_beneath(md, path);
        /* EPERM: an older sandbox (of containers) that does not know the call. */
        if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
            return fd;
        atomic_store(&md->no_openat2, true);
    }
    return open_by_components(md, path);
}

/* ---- making directories ---- */

/* Opens the parent's child `component`, made if need be, and makes the parent's entry for it durable whoever made it:
 * a run that was killed between the two has left it undone. Closes `parent`. */
static int make_component(int parent, struct slice component)
{
    char name[NAME_MAX + 1];
    int fd = -1, saved;

    if (component.n > NAME_MAX) {
        errno = ENAMETOOLONG;
        goto out;
    }
    memcpy(name, component.p, component.n);
    name[component.n] = '\0';
    if ((mkdirat(parent, name, 0700) != 0 && errno != EEXIST) || disk_sync_dir(parent) != 0)
        goto out;
    fd = open_component(parent, component);
out:
    saved = errno;
    io_close(&parent);
    errno = saved;
    return fd;
}

static int make_marker_file(int folder)
{
    int fd = openat(folder, "maildirfolder", O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return -1;
    io_close(&fd);
    return 0;
}

/* tmp/ is made last, after everything else was made durable: a folder that has one needs no flush of its directories
 * ever again. (A message is in new/ or cur/; that tmp/ itself may be lost with the power does no harm.) */
int maildir_make_folder(struct maildir *md, const char *rel)
{
    struct slice rest = slice_str(rel), component = next_component(&rest);
    int fd = openat(md->root, ".", DIR_FLAGS), rc = -1, saved;

    while (fd >= 0 && component.n > 0) {
        fd = make_component(fd, component);
        component = next_component(&rest);
    }
    if (fd < 0)
        return -1;
    if (*rel != '\0' && md->layout == FOLDER_MAILDIRPP && make_marker_file(fd) != 0)
        goto out;
    if ((mkdirat(fd, "new", 0700) != 0 && errno != EEXIST) || (mkdirat(fd, "cur", 0700) != 0 && errno != EEXIST) ||
        disk_sync_dir(fd) != 0)
        goto out;
    if (mkdirat(fd, "tmp", 0700) != 0 && errno != EEXIST)
        goto out;
    step("maildir.folder");
    rc = 0;
out:
    saved = errno;
    io_close(&fd);
    errno = saved;
    return rc;
}

int maildir_sync_root(struct maildir *md)
{
    return disk_sync_dir(md->root) != 0 ? -1 : disk_sync_parent(md->root);
}

/* ---- moving ---- */

/* For file systems that cannot rename without replacing (NFS): a second name, then without the first. A file server
 * may have made the link although its answer was lost; the count of names tells. */
static int move_by_link(int from, const char *scratch, int to, const char *name)
{
    struct stat sb;

    if (linkat(from, scratch, to, name, 0) != 0) {
        int saved = errno;
        if (saved != EEXIST || fstatat(from, scratch, &sb, AT_SYMLINK_NOFOLLOW) != 0 || sb.st_nlink != 2) {
            errno = saved;
            return -1;
        }
    }
    /* One that stays is swept by the next pass. */
    unlinkat(from, scratch, 0);
    return 0;
}

int maildir_move(struct maildir *md, int from, const char *scratch, int to, const char *name)
{
#ifdef HAVE_RENAMEAT2
    if (!atomic_load(&md->no_rename_flags)) {
        if (renameat2(from, scratch, to, name, RENAME_NOREPLACE) == 0)
            return 0;
        if (errno != EINVAL && errno != ENOSYS)
            return -1;
        atomic_store(&md->no_rename_flags, true);
    }
#else
    (void)md;
#endif
    return move_by_link(from, scratch, to, name);
}
