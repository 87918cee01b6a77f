/* SPDX-License-Identifier: MIT */
#include "store/watch.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"

enum { READ_MAX = 16 * 1024, PATH_MAX_BYTES = 64 * 1024, ARM_TRIES = 8 };

/* One for all: a directory that is added twice, or is above another, would lose the first mask. */
static const uint32_t mask = IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB |
                             IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

struct entry {
    char *path;
    unsigned id;
    int wd;             /* of the directory, or of the nearest one above it that is there */
    struct slice below; /* empty, or the name in that one which is waited for; of `path` */
};

struct watch {
    int fd;
    watch_fn *changed;
    void *ctx;
    struct entry *entries;
    size_t count, room;
};

int watch_new(watch_fn *changed, void *ctx, struct watch **out, struct err *e)
{
    struct watch *w = calloc(1, sizeof(*w));

    if (w == NULL)
        return err_nomem(e);
    w->changed = changed;
    w->ctx = ctx;
    w->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (w->fd < 0) {
        free(w);
        return err_sys(e, E_NOMEM, errno, "changes to files cannot be watched (fs.inotify.max_user_instances)");
    }
    *out = w;
    return 0;
}

void watch_free(struct watch **wp)
{
    struct watch *w = *wp;

    if (w == NULL)
        return;
    for (size_t i = 0; i < w->count; i++)
        free(w->entries[i].path);
    free(w->entries);
    io_close(&w->fd);
    free(w);
    *wp = NULL;
}

int watch_fd(const struct watch *w)
{
    return w->fd;
}

static bool is_used(const struct watch *w, int wd)
{
    for (size_t i = 0; i < w->count; i++) {
        if (w->entries[i].wd == wd)
            return true;
    }
    return false;
}

static void let_go(struct watch *w, int wd)
{
    if (wd >= 0 && !is_used(w, wd))
        (void)inotify_rm_watch(w->fd, wd);
}

static void let_go_of_entry(struct watch *w, struct entry *entry)
{
    int wd = entry->wd;

    entry->wd = -1;
    let_go(w, wd);
}

/* The path without its last name, which becomes *below; false at the top. */
static bool go_up(struct slice *path, struct slice *below)
{
    while (path->n > 1 && path->p[path->n - 1] == '/')
        path->n--;
    if (path->n == 0 || (path->n == 1 && path->p[0] == '/'))
        return false;
    const char *slash = memrchr(path->p, '/', path->n);
    size_t dir = slash != NULL ? (size_t)(slash - path->p) + 1 : 0;

    *below = slice_from(*path, dir);
    path->n = dir;
    return true;
}

static int add_path(const struct watch *w, struct slice path, char *shown, size_t size)
{
    if (path.n == 0)
        path = SLICE(".");
    if (path.n >= size) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(shown, path.p, path.n);
    shown[path.n] = '\0';
    return inotify_add_watch(w->fd, shown, mask);
}

static bool may_be_above(int errnum)
{
    return errnum == ENOENT || errnum == ENOTDIR || errnum == EACCES || errnum == ELOOP;
}

/* Whether what is waited for has come in between. */
static bool is_there_now(const struct entry *entry)
{
    struct slice end = slice_from(entry->below, entry->below.n);
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    struct stat st;
    bool there = entry->below.n > 0 && buf_put(&path, entry->path, (size_t)(end.p - entry->path)) == 0 &&
                 stat(buf_cstr(&path), &st) == 0 && S_ISDIR(st.st_mode);

    buf_release(&path);
    return there;
}

/* Watches the directory itself, or the nearest one above it that there is. */
static int arm_once(struct watch *w, struct entry *entry, struct err *e)
{
    struct slice path = slice_str(entry->path);
    int wd, before = entry->wd;
    char name[4096];

    entry->below = SLICE_NONE;
    while ((wd = add_path(w, path, name, sizeof(name))) < 0 && may_be_above(errno)) {
        if (!go_up(&path, &entry->below))
            break;
    }
    if (wd < 0)
        return err_sys(e, errno == ENOSPC || errno == ENOMEM ? E_NOMEM : E_DISK, errno, "%s cannot be watched%s",
                       entry->path, errno == ENOSPC ? " (fs.inotify.max_user_watches)" : "");
    entry->wd = wd;
    if (before != wd)
        let_go(w, before);
    return 0;
}

/* Each entry to what has its name now. Those that are led elsewhere than before are told. */
static int arm(struct watch *w, size_t from, bool tell, struct err *e)
{
    int rc = 0;

    for (size_t i = from; i < w->count; i++) {
        struct entry *entry = &w->entries[i];
        int before = entry->wd;
        bool was_here = entry->below.n == 0 && before >= 0, armed = true;

        for (int tries = 0; armed && (tries == 0 || (tries < ARM_TRIES && is_there_now(entry))); tries++)
            armed = arm_once(w, entry, e) == 0;
        if (!armed) {
            let_go_of_entry(w, entry);
            rc = -1;
        }
        if (tell && (before != entry->wd || was_here != (entry->below.n == 0)) && (was_here || entry->below.n == 0))
            w->changed(w->ctx, entry->id, NULL);
    }
    return rc;
}

int watch_add(struct watch *w, const char *directory, unsigned id, struct err *e)
{
    struct entry *entry;

    if (w->count == w->room) {
        size_t room = w->room * 2 + 8;
        struct entry *more = reallocarray(w->entries, room, sizeof(*more));

        if (more == NULL)
            return err_nomem(e);
        w->entries = more;
        w->room = room;
    }
    entry = &w->entries[w->count];
    *entry = (struct entry){ .path = strdup(directory), .id = id, .wd = -1 };
    if (entry->path == NULL)
        return err_nomem(e);
    w->count++;
    if (arm(w, w->count - 1, false, e) == 0)
        return 0;
    w->count--;
    free(entry->path);
    return -1;
}

void watch_remove(struct watch *w, unsigned id)
{
    for (size_t i = w->count; i-- > 0;) {
        int wd = w->entries[i].wd;

        if (w->entries[i].id != id)
            continue;
        free(w->entries[i].path);
        w->entries[i] = w->entries[--w->count];
        let_go(w, wd);
    }
}

/* A file that was just made is told when it is closed; what is made in one go is told now. */
static bool is_whole(const struct entry *entry, const char *name)
{
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    struct stat st;
    bool whole = buf_putf(&path, "%s/%s", entry->path, name) == 0 && lstat(buf_cstr(&path), &st) == 0 &&
                 (!S_ISREG(st.st_mode) || st.st_nlink > 1);

    buf_release(&path);
    return whole;
}

/* True when the directories themselves have changed. */
static bool tell(struct watch *w, const struct inotify_event *event)
{
    const char *name = event->len > 0 ? event->name : "";
    bool structure = (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT)) != 0;

    for (size_t i = 0; i < w->count && !structure; i++) {
        const struct entry *entry = &w->entries[i];

        if (entry->wd != event->wd || name[0] == '\0')
            continue;
        if (entry->below.n > 0)
            structure = slice_eq(entry->below, slice_str(name));
        else if ((event->mask & IN_CREATE) == 0 || is_whole(entry, name))
            w->changed(w->ctx, entry->id, name);
    }
    return structure;
}

static void tell_all(struct watch *w)
{
    for (size_t i = 0; i < w->count; i++)
        w->changed(w->ctx, w->entries[i].id, NULL);
}

/* What is watched under this number is no more; the number may come again for something else. */
static void forget(struct watch *w, int wd)
{
    for (size_t i = 0; i < w->count; i++) {
        if (w->entries[i].wd != wd)
            continue;
        if (w->entries[i].below.n == 0)
            w->changed(w->ctx, w->entries[i].id, NULL);
        w->entries[i].wd = -1;
    }
}

int watch_read(struct watch *w, struct err *e)
{
    _Alignas(struct inotify_event) char bytes[READ_MAX];
    bool structure = false;
    ssize_t got;

    while ((got = read(w->fd, bytes, sizeof(bytes))) > 0) {
        for (char *p = bytes; p < bytes + got;) {
            const struct inotify_event *event = (const struct inotify_event *)(void *)p;

            p += sizeof(*event) + event->len;
            if ((event->mask & IN_Q_OVERFLOW) != 0) {
                structure = true;
                tell_all(w);
                continue;
            }
            structure = tell(w, event) || structure;
            if ((event->mask & IN_IGNORED) != 0)
                forget(w, event->wd);
        }
    }
    if (got < 0 && errno != EAGAIN && errno != EINTR)
        return err_sys(e, E_DISK, errno, "changes to files are not told any more");
    return structure ? arm(w, 0, true, e) : 0;
}

/* ---- settling ---- */

void settle_note(struct settle *s, int64_t now_ms)
{
    if (!s->pending)
        s->first_ms = now_ms;
    s->pending = true;
    s->last_ms = now_ms;
}

int64_t settle_due(const struct settle *s)
{
    int64_t quiet = s->last_ms + SETTLE_QUIET_MS, latest = s->first_ms + SETTLE_LATEST_MS;

    if (!s->pending)
        return INT64_MAX;
    return quiet < latest ? quiet : latest;
}

bool settle_take(struct settle *s, int64_t now_ms)
{
    if (now_ms < settle_due(s))
        return false;
    s->pending = false;
    return true;
}
