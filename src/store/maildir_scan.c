/* SPDX-License-Identifier: MIT */
#include "store/maildir.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/step.h"
#include "store/disk_int.h"
#include "store/maildir_int.h"

static const char marker_name[] = ".mailhaul-id";

/* A stream over an open directory, with a position of its own. NULL with errno. */
static DIR *scan_begin(int dirfd)
{
    int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

    if (dir == NULL)
        io_close(&fd);
    return dir;
}

/* ---- the marker ---- */

static bool is_hex(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = ascii_lower(s.p[i]);
        if (!ascii_isdigit(c) && (c < 'a' || c > 'f'))
            return false;
    }
    return true;
}

int maildir_marker_read(struct maildir *md, char id_out[MAILDIR_ID_LEN + 1], bool *found_out, struct err *e)
{
    struct buf text = BUF_INIT(MAILDIR_ID_LEN + 2);
    int fd = openat(md->root, marker_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), rc = -1;

    *found_out = false;
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0)
        return disk_err(e, errno, "Maildir %s, file %s", md->path, marker_name);
    if (io_read_all(fd, &text) != 0 && errno != EFBIG) {
        disk_err(e, errno, "Maildir %s, file %s", md->path, marker_name);
    } else if (text.len != MAILDIR_ID_LEN + 1 || text.p[MAILDIR_ID_LEN] != '\n' ||
               !is_hex(slice_make(text.p, MAILDIR_ID_LEN))) {
        err_set(e, E_DISK,
                "Maildir %s: the file %s is damaged; put it back, or remove it and run mailhaul check --adopt",
                md->path, marker_name);
    } else {
        memcpy(id_out, text.p, MAILDIR_ID_LEN);
        id_out[MAILDIR_ID_LEN] = '\0';
        *found_out = true;
        rc = 0;
    }
    io_close(&fd);
    buf_release(&text);
    return rc;
}

/* Writes the marker under a scratch name and gives it its own. EEXIST: another one was faster. */
static int marker_write(struct maildir *md, const char *line)
{
    char scratch[MAILDIR_NAME_MAX];
    int fd, rc = -1, saved;

    maildir_scratch_name(md, ".", scratch);
    fd = openat(md->root, scratch, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    if (io_write_all(fd, line, strlen(line)) == 0 && fsync(fd) == 0)
        rc = maildir_move(md, md->root, scratch, md->root, marker_name);
    saved = errno;
    io_close(&fd);
    if (rc != 0)
        unlinkat(md->root, scratch, 0);
    errno = saved;
    return rc;
}

int maildir_marker_make(struct maildir *md, char id_out[MAILDIR_ID_LEN + 1], struct err *e)
{
    unsigned char bits[MAILDIR_ID_LEN / 2];
    char line[MAILDIR_ID_LEN + 2];
    bool found;

    if (getrandom(bits, sizeof(bits), 0) != (ssize_t)sizeof(bits))
        return err_sys(e, E_NOMEM, errno, "no random numbers from the system");
    for (size_t i = 0; i < sizeof(bits); i++)
        snprintf(line + 2 * i, 3, "%02x", bits[i]);
    memcpy(line + MAILDIR_ID_LEN, "\n", 2);
    if (marker_write(md, line) != 0 && errno != EEXIST)
        return disk_err(e, errno, "Maildir %s, file %s", md->path, marker_name);
    /* The first thing that is stored here: what leads to it must last as long as it does. */
    if (maildir_sync_root(md) != 0)
        return disk_err(e, errno, "Maildir %s", md->path);
    step("maildir.marker");
    if (maildir_marker_read(md, id_out, &found, e) != 0)
        return -1;
    return found ? 0 : disk_err(e, ENOENT, "Maildir %s, file %s", md->path, marker_name);
}

/* ---- finding ---- */

/* True for "BASE" and "BASE:anything". */
static bool is_message(const char *entry, struct slice base)
{
    struct slice name = slice_str(entry);

    return slice_starts(name, base) && (name.n == base.n || name.p[base.n] == ':');
}

/* 1 found, 0 not, -1 with errno. A reader that renames a file while we read may hide it from us: then once more. */
static int scan_for(int dirfd, const char *base)
{
    enum { TRIES = 5 };
    struct stat before, after;
    int found = 0;

    for (int i = 0; i < TRIES && found == 0; i++) {
        DIR *dir = fstat(dirfd, &before) == 0 ? scan_begin(dirfd) : NULL;
        const struct dirent *entry;

        if (dir == NULL)
            return -1;
        errno = 0;
        while (found == 0 && (entry = readdir(dir)) != NULL)
            found = is_message(entry->d_name, slice_str(base));
        if (found == 0 && errno != 0)
            found = -1;
        closedir(dir);
        if (found == 0 && fstat(dirfd, &after) == 0 && after.st_mtim.tv_sec == before.st_mtim.tv_sec &&
            after.st_mtim.tv_nsec == before.st_mtim.tv_nsec)
            return 0;
    }
    return found;
}

/* Where a delivery puts it and most often still finds it, without reading the directory. */
static int plainly_there(int dirfd, const char *name)
{
    if (faccessat(dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return 1;
    return errno == ENOENT ? 0 : -1;
}

int maildir_find(struct maildir_folder *f, const char *base, bool *found_out, struct err *e)
{
    /* new/ before cur/: readers move in that direction. Some set flags in new/, so it is read as well. */
    static const enum maildir_sub order[] = { SUB_NEW, SUB_NEW, SUB_CUR };
    int rc = 0;

    *found_out = false;
    for (size_t i = 0; i < ARRAY_LEN(order) && rc == 0; i++) {
        int fd = folder_hold(f, order[i]), saved;

        rc = fd < 0 ? -1 : i == 0 ? plainly_there(fd, base) : scan_for(fd, base);
        saved = errno;
        /* The run that placed it may have died before its sync: it counts as delivered only after one. */
        if (rc > 0)
            atomic_store(&f->dirty[order[i]], true);
        if (fd >= 0)
            folder_let_go(f);
        errno = saved;
    }
    if (rc < 0)
        return disk_err(e, errno, "Maildir folder %s", f->path);
    *found_out = rc > 0;
    return 0;
}

/* ---- sweeping ---- */

/* Removes from one directory what begins with "mailhaul-TAG-" behind `prefix`. 0, or -1 with errno. */
static int sweep_dir(const struct maildir *md, int dirfd, const char *prefix)
{
    char own[MAILDIR_NAME_MAX];
    DIR *dir = scan_begin(dirfd);
    const struct dirent *entry;
    int rc = 0;

    if (dir == NULL)
        return -1;
    snprintf(own, sizeof(own), "%smailhaul-%s-", prefix, md->tag);
    errno = 0;
    while (rc == 0 && (entry = readdir(dir)) != NULL) {
        if (slice_starts(slice_str(entry->d_name), slice_str(own)) && unlinkat(dirfd, entry->d_name, 0) != 0 &&
            errno != ENOENT)
            rc = -1;
        else
            errno = 0;
    }
    if (errno != 0)
        rc = -1;
    closedir(dir);
    return rc;
}

int maildir_sweep(struct maildir_folder *f, struct err *e)
{
    int tmp = folder_hold(f, SUB_TMP), rc;

    if (tmp < 0 && errno == ENOENT)
        return 0;
    rc = tmp < 0 ? -1 : sweep_dir(f->md, tmp, "");
    if (rc != 0)
        disk_err(e, errno, "Maildir folder %s/tmp", f->path);
    if (tmp >= 0)
        folder_let_go(f);
    return rc;
}

/* The paths of directories that are still to be looked into, each with its NUL, from `at` on. */
struct todo {
    struct buf paths;
    size_t at;
};

static bool may_be_folder(const struct maildir *md, const char *rel, const struct dirent *entry)
{
    const char *name = entry->d_name;

    if ((entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN) || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return false;
    if (md->layout == FOLDER_MAILDIRPP)
        return *rel == '\0' && name[0] == '.';
    for (size_t i = 0; i < SUB_COUNT; i++) {
        if (strcmp(name, maildir_sub_names[i]) == 0)
            return false;
    }
    return name[0] != '.';
}

/* Adds the directories in rel. 0, or -1 with errno. */
static int add_children(const struct maildir *md, struct todo *todo, const char *rel, int fd)
{
    DIR *dir = scan_begin(fd);
    const struct dirent *entry;
    int rc = 0;

    if (dir == NULL)
        return -1;
    errno = 0;
    while (rc == 0 && (entry = readdir(dir)) != NULL) {
        if (!may_be_folder(md, rel, entry))
            continue;
        if (buf_putf(&todo->paths, "%s%s%s", rel, *rel != '\0' ? "/" : "", entry->d_name) != 0 ||
            buf_put_char(&todo->paths, '\0') != 0) {
            errno = ENOMEM;
            rc = -1;
        }
    }
    if (errno != 0)
        rc = -1;
    closedir(dir);
    return rc;
}

/* What other people's directories in the tree refuse is not ours to sweep. */
static bool not_ours(int errnum)
{
    return errnum == ENOENT || errnum == ENOTDIR || errnum == ELOOP || errnum == EACCES || errnum == EPERM ||
           errnum == EXDEV || errnum == ENAMETOOLONG;
}

static int sweep_path(struct maildir *md, struct todo *todo, const char *rel)
{
    int dir = maildir_open_dir(md, rel, ""), tmp = -1, rc = -1, saved;

    if (dir < 0)
        return -1;
    if (add_children(md, todo, rel, dir) != 0)
        goto out;
    tmp = maildir_open_dir(md, rel, "tmp");
    rc = tmp >= 0 ? sweep_dir(md, tmp, "") : errno == ENOENT ? 0 : -1;
out:
    saved = errno;
    io_close(&tmp);
    io_close(&dir);
    errno = saved;
    return rc;
}

int maildir_sweep_all(struct maildir *md, struct err *e)
{
    struct todo todo = { .paths = BUF_INIT(LIMIT_FOLDER_BYTES * 4) };
    struct buf rel = BUF_INIT(64 * 1024);
    int rc = -1;

    if (buf_put_char(&todo.paths, '\0') != 0) {
        err_nomem(e);
        goto out;
    }
    if (sweep_dir(md, md->root, ".") != 0) {
        disk_err(e, errno, "Maildir %s", md->path);
        goto out;
    }
    while (todo.at < todo.paths.len) {
        /* A copy: the list may move while it grows. */
        buf_clear(&rel);
        if (buf_put_str(&rel, todo.paths.p + todo.at) != 0) {
            err_nomem(e);
            goto out;
        }
        todo.at += rel.len + 1;
        if (sweep_path(md, &todo, buf_cstr(&rel)) != 0 && !not_ours(errno)) {
            disk_err(e, errno, "Maildir folder %s/%s", md->path, buf_cstr(&rel));
            goto out;
        }
    }
    rc = 0;
out:
    buf_release(&todo.paths);
    buf_release(&rel);
    return rc;
}
