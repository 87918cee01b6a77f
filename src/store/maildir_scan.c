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

/* NULL at the end, or with errno. */
static const struct dirent *scan_next(DIR *dir)
{
    errno = 0;
    return readdir(dir);
}

/* Behind a loop over scan_next() that `rc` ended (with errno) or the end of the directory did. */
static int scan_end(DIR *dir, int rc)
{
    int saved = errno;

    closedir(dir);
    errno = saved;
    return rc == 0 && saved == 0 ? 0 : -1;
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
        err_set(e, E_DISK, "Maildir %s: the file %s is damaged; put it back, or run mailhaul check --adopt", md->path,
                marker_name);
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

void maildir_marker_drop(struct maildir *md)
{
    (void)unlinkat(md->root, marker_name, 0);
}

/* ---- finding ---- */

/* After a crash some hundred names are looked for, in directories that may hold 100,000, so both are read once and
 * only hashes are kept (64 bits with a seed of this run: that a name which is not there meets one that is will not
 * happen in the life of this program). What was read stays true: a name that was neither in new/ nor in cur/ can come
 * only by our own maildir_place(), and one that was there was delivered, whatever its owner has done with it since. */

/* FNV-1a and a last mix, of the entry up to the info. */
static uint64_t base_hash(uint64_t seed, const char *entry)
{
    uint64_t h = UINT64_C(14695981039346656037) ^ seed;

    for (; *entry != '\0' && *entry != ':'; entry++)
        h = (h ^ (unsigned char)*entry) * UINT64_C(1099511628211);
    h ^= h >> 32;
    h *= UINT64_C(0x9E3779B97F4A7C15);
    return h ^ h >> 29;
}

static int seen_add(struct maildir_folder *f, const char *entry)
{
    if (f->seen_count == f->seen_room) {
        size_t room = f->seen_room > 0 ? f->seen_room * 2 : 1024;
        uint64_t *bigger = reallocarray(f->seen, room, sizeof(*bigger));
        if (bigger == NULL)
            return -1;
        f->seen = bigger;
        f->seen_room = room;
    }
    f->seen[f->seen_count++] = base_hash(f->md->random, entry);
    return 0;
}

static int read_names(struct maildir_folder *f, int dirfd)
{
    DIR *dir = scan_begin(dirfd);
    const struct dirent *entry;
    int rc = 0;

    if (dir == NULL)
        return -1;
    while (rc == 0 && (entry = scan_next(dir)) != NULL)
        rc = seen_add(f, entry->d_name);
    return scan_end(dir, rc);
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* A reader that renames a file within a directory while we read it may hide it from us, so that is read until nothing
 * changed meanwhile; names of all tries are kept. */
static int read_quietly(struct maildir_folder *f, int dirfd)
{
    enum { TRIES = 5 };
    struct stat before, after;

    for (int i = 0; i < TRIES; i++) {
        if (fstat(dirfd, &before) != 0 || read_names(f, dirfd) != 0 || fstat(dirfd, &after) != 0)
            return -1;
        if (same_time(before.st_mtim, after.st_mtim))
            return 0;
    }
    return 0;
}

static int compare_hashes(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* new/ before cur/: readers move in that direction. */
static int read_folder(struct maildir_folder *f)
{
    f->seen_count = 0;
    atomic_store(&f->seen_old, false);
    for (int sub = SUB_NEW; sub < SUB_COUNT; sub++) {
        int fd = folder_hold(f, (enum maildir_sub)sub), rc, saved;

        rc = fd < 0 ? -1 : read_quietly(f, fd);
        saved = errno;
        if (fd >= 0)
            folder_let_go(f);
        errno = saved;
        if (rc != 0) {
            atomic_store(&f->seen_old, true);
            return -1;
        }
    }
    if (f->seen_count > 1)
        qsort(f->seen, f->seen_count, sizeof(*f->seen), compare_hashes);
    return 0;
}

int maildir_find(struct maildir_folder *f, const char *base, bool *found_out, struct err *e)
{
    uint64_t hash = base_hash(f->md->random, base);

    *found_out = false;
    if ((f->seen == NULL || atomic_load(&f->seen_old)) && read_folder(f) != 0)
        return disk_err(e, errno, "Maildir folder %s", f->path);
    if (f->seen_count == 0 || bsearch(&hash, f->seen, f->seen_count, sizeof(hash), compare_hashes) == NULL)
        return 0;
    /* The run that placed it may have died before its sync: it counts as delivered only after one. */
    for (int sub = SUB_NEW; sub < SUB_COUNT; sub++)
        atomic_store(&f->dirty[sub], true);
    *found_out = true;
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
    while (rc == 0 && (entry = scan_next(dir)) != NULL) {
        if (slice_starts(slice_str(entry->d_name), slice_str(own)) && unlinkat(dirfd, entry->d_name, 0) != 0 &&
            errno != ENOENT)
            rc = -1;
    }
    return scan_end(dir, rc);
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
    while (rc == 0 && (entry = scan_next(dir)) != NULL) {
        if (!may_be_folder(md, rel, entry))
            continue;
        if (buf_putf(&todo->paths, "%s%s%s", rel, *rel != '\0' ? "/" : "", entry->d_name) != 0 ||
            buf_put_char(&todo->paths, '\0') != 0) {
            errno = ENOMEM;
            rc = -1;
        }
    }
    return scan_end(dir, rc);
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
