/* SPDX-License-Identifier: MIT */
#include "store/maildir.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/step.h"
#include "store/disk_int.h"
#include "store/maildir_int.h"
#include "wire/mailflag.h"

enum { PLACED_NAME_MAX = MAILDIR_NAME_MAX + MAILFLAG_LETTERS + 4 };

const char *const maildir_sub_names[SUB_COUNT] = { "tmp", "new", "cur" };

/* ---- the tree ---- */

int maildir_open(const char *path, enum folder_layout layout, const char *tag, bool create, struct maildir **out,
                 struct err *e)
{
    struct maildir *md = calloc(1, sizeof(*md));

    *out = NULL;
    if (md == NULL)
        return err_nomem(e);
    md->root = -1;
    pthread_mutex_init(&md->lock, NULL);
    md->layout = layout;
    snprintf(md->tag, sizeof(md->tag), "%s", tag);
    md->path = slice_dup(slice_str(path));
    if (md->path == NULL || getrandom(&md->random, sizeof(md->random), 0) != (ssize_t)sizeof(md->random)) {
        err_nomem(e);
        goto fail;
    }
    md->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (md->root < 0 && errno == ENOENT && create) {
        if (disk_make_dirs(path) != 0) {
            disk_err(e, errno, "Maildir %s cannot be made", path);
            goto fail;
        }
        md->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (md->root < 0) {
        disk_err(e, errno, "Maildir %s", path);
        goto fail;
    }
    *out = md;
    return 0;
fail:
    maildir_close(&md);
    return -1;
}

static void folder_free(struct maildir_folder *f)
{
    if (f == NULL)
        return;
    for (size_t i = 0; i < SUB_COUNT; i++)
        io_close(&f->fd[i]);
    free(f->seen);
    free(f->name);
    free(f->rel);
    free(f->path);
    free(f);
}

void maildir_close(struct maildir **maildir)
{
    struct maildir *md = *maildir;

    *maildir = NULL;
    if (md == NULL)
        return;
    for (size_t i = 0; i < ARRAY_LEN(md->buckets); i++) {
        while (md->buckets[i] != NULL) {
            struct maildir_folder *f = md->buckets[i];
            md->buckets[i] = f->next;
            folder_free(f);
        }
    }
    io_close(&md->root);
    pthread_mutex_destroy(&md->lock);
    free(md->path);
    free(md);
}

const char *maildir_path(const struct maildir *md)
{
    return md->path;
}

/* ---- descriptors of folders ---- */

/* A place in md->open for `f`, taken from the folder that nobody holds and that was used longest ago. */
static bool make_room(struct maildir *md, struct maildir_folder *f)
{
    struct maildir_folder **oldest = NULL;

    for (size_t i = 0; i < ARRAY_LEN(md->open); i++) {
        struct maildir_folder **at = &md->open[i];
        if (*at == NULL) {
            *at = f;
            return true;
        }
        if ((*at)->holds == 0 && (oldest == NULL || (*at)->used_at < (*oldest)->used_at))
            oldest = at;
    }
    if (oldest == NULL)
        return false;
    for (size_t i = 0; i < SUB_COUNT; i++)
        io_close(&(*oldest)->fd[i]);
    *oldest = f;
    return true;
}

static bool has_room(const struct maildir *md, const struct maildir_folder *f)
{
    for (size_t i = 0; i < ARRAY_LEN(md->open); i++) {
        if (md->open[i] == f)
            return true;
    }
    return false;
}

int folder_hold(struct maildir_folder *f, enum maildir_sub sub)
{
    struct maildir *md = f->md;
    int fd, saved;

    pthread_mutex_lock(&md->lock);
    f->used_at = ++md->tick;
    if (f->fd[sub] < 0) {
        errno = EMFILE;
        if (has_room(md, f) || make_room(md, f))
            f->fd[sub] = maildir_open_dir(md, f->rel, maildir_sub_names[sub]);
    }
    fd = f->fd[sub];
    if (fd >= 0)
        f->holds++;
    saved = errno;
    pthread_mutex_unlock(&md->lock);
    errno = saved;
    return fd;
}

void folder_let_go(struct maildir_folder *f)
{
    pthread_mutex_lock(&f->md->lock);
    f->holds--;
    pthread_mutex_unlock(&f->md->lock);
}

/* ---- folders ---- */

static struct maildir_folder **bucket(struct maildir *md, struct slice name)
{
    uint32_t h = 2166136261u; /* FNV-1a */

    for (size_t i = 0; i < name.n; i++)
        h = (h ^ (unsigned char)name.p[i]) * 16777619u;
    return &md->buckets[h % MAILDIR_BUCKETS];
}

static struct maildir_folder *folder_known(struct maildir *md, struct slice name)
{
    struct maildir_folder *f;

    pthread_mutex_lock(&md->lock);
    for (f = *bucket(md, name); f != NULL; f = f->next) {
        if (slice_eq(slice_make(f->name, f->name_len), name))
            break;
    }
    pthread_mutex_unlock(&md->lock);
    return f;
}

static struct maildir_folder *folder_new(struct maildir *md, struct slice name, const struct buf *rel)
{
    struct maildir_folder *f = calloc(1, sizeof(*f));
    struct buf path = BUF_INIT(64 * 1024);

    if (f == NULL)
        return NULL;
    f->md = md;
    f->name_len = name.n;
    for (size_t i = 0; i < SUB_COUNT; i++)
        f->fd[i] = -1;
    f->name = slice_dup(name);
    f->rel = slice_dup(buf_slice(rel));
    if (buf_putf(&path, "%s%s%s", md->path, rel->len > 0 ? "/" : "", buf_cstr(rel)) == 0)
        f->path = slice_dup(buf_slice(&path));
    buf_release(&path);
    if (f->name != NULL && f->rel != NULL && f->path != NULL)
        return f;
    folder_free(f);
    return NULL;
}

/* Opens what a folder must have; errno ENOENT when it is not (wholly) there. */
static int folder_check(struct maildir_folder *f, bool create)
{
    for (int sub = create ? SUB_TMP : SUB_NEW; sub < SUB_COUNT; sub++) {
        if (folder_hold(f, (enum maildir_sub)sub) < 0)
            return -1;
        folder_let_go(f);
    }
    return 0;
}

/* Its place in md->open goes to others. */
static void folder_forget(struct maildir_folder *f)
{
    struct maildir *md = f->md;

    pthread_mutex_lock(&md->lock);
    for (size_t i = 0; i < ARRAY_LEN(md->open); i++) {
        if (md->open[i] == f)
            md->open[i] = NULL;
    }
    pthread_mutex_unlock(&md->lock);
    folder_free(f);
}

int maildir_folder(struct maildir *md, struct slice name, char delimiter, bool create, struct maildir_folder **out,
                   struct err *e)
{
    struct buf rel = BUF_INIT(LIMIT_FOLDER_NAME * 3);
    struct maildir_folder *f = NULL;
    int rc = -1;

    *out = folder_known(md, name);
    if (*out != NULL)
        return 0;
    if (folder_to_path(name, delimiter, md->layout, &rel) != 0) {
        err_set(e, E_DISK, "Maildir %s: the folder's name is too long for a file system", md->path);
        err_scope(e, SCOPE_FOLDER);
        goto out;
    }
    f = folder_new(md, name, &rel);
    if (f == NULL) {
        err_nomem(e);
        goto out;
    }
    rc = folder_check(f, create);
    if (rc != 0 && errno == ENOENT && create) {
        rc = maildir_make_folder(md, f->rel);
        if (rc == 0)
            rc = folder_check(f, create);
    } else if (rc != 0 && errno == ENOENT) {
        rc = 0;
        goto out;
    }
    if (rc != 0) {
        disk_err(e, errno, "Maildir folder %s", f->path);
        goto out;
    }
    pthread_mutex_lock(&md->lock);
    f->next = *bucket(md, name);
    *bucket(md, name) = f;
    pthread_mutex_unlock(&md->lock);
    *out = f;
    f = NULL;
out:
    if (f != NULL)
        folder_forget(f);
    buf_release(&rel);
    return rc;
}

const char *maildir_folder_path(const struct maildir_folder *f)
{
    return f->path;
}

/* ---- names ---- */

void maildir_scratch_name(struct maildir *md, const char *prefix, char out[MAILDIR_NAME_MAX])
{
    snprintf(out, MAILDIR_NAME_MAX, "%smailhaul-%s-%016" PRIx64 ".%" PRIuFAST64, prefix, md->tag, md->random,
             atomic_fetch_add(&md->scratches, 1));
}

/* Final names must differ between all trees of the process, so what makes them differ belongs to the process. */
static pthread_once_t names_once = PTHREAD_ONCE_INIT;
static uint64_t names_random;
static char names_host[64];
static atomic_uint_fast64_t names_count;

static void names_init(void)
{
    char host[256] = "";
    size_t n = 0;

    if (getrandom(&names_random, sizeof(names_random), 0) != (ssize_t)sizeof(names_random))
        names_random = (uint64_t)clock_wall_us() * 2654435761u ^ (uint64_t)getpid() << 40;
    if (gethostname(host, sizeof(host) - 1) != 0 || host[0] == '\0')
        memcpy(host, "localhost", sizeof("localhost"));
    /* maildir(5) wants octal for '/' and ':'; whatever else no host name has is not worth the care. */
    for (const char *p = host; *p != '\0' && n + 1 < sizeof(names_host); p++) {
        bool plain = ascii_isdigit(*p) || (ascii_lower(*p) >= 'a' && ascii_lower(*p) <= 'z') || *p == '-' || *p == '.';
        names_host[n++] = plain ? *p : '_';
    }
    names_host[n] = '\0';
}

void maildir_base_name(char out[MAILDIR_NAME_MAX])
{
    int64_t now = clock_wall();

    pthread_once(&names_once, names_init);
    snprintf(out, MAILDIR_NAME_MAX, "%" PRId64 ".%016" PRIx64 "_%" PRIuFAST64 ".%s", now > 0 ? now : 0, names_random,
             atomic_fetch_add(&names_count, 1), names_host);
}

/* ---- a message's way ---- */

int maildir_scratch(struct maildir_folder *f, int *fd_out, char name_out[MAILDIR_NAME_MAX], struct err *e)
{
    int tmp = folder_hold(f, SUB_TMP);

    *fd_out = -1;
    if (tmp < 0)
        return disk_err(e, errno, "Maildir folder %s/tmp", f->path);
    do {
        maildir_scratch_name(f->md, "", name_out);
        *fd_out = openat(tmp, name_out, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    } while (*fd_out < 0 && (errno == EEXIST || errno == EINTR));
    if (*fd_out < 0)
        disk_err(e, errno, "Maildir folder %s/tmp", f->path);
    folder_let_go(f);
    return *fd_out < 0 ? -1 : 0;
}

void maildir_start_flush(int fd)
{
#ifdef HAVE_SYNC_FILE_RANGE
    /* Whatever goes wrong here, fsync will say. */
    if (sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE) != 0)
        return;
#else
    (void)fd;
#endif
}

int maildir_flush_file(struct maildir_folder *f, int fd, struct err *e)
{
    if (fsync(fd) != 0)
        return disk_err(e, errno, "Maildir folder %s/tmp", f->path);
    step("maildir.flushed");
    return 0;
}

void maildir_scratch_drop(struct maildir_folder *f, const char *scratch)
{
    int tmp = folder_hold(f, SUB_TMP);

    if (tmp < 0)
        return;
    unlinkat(tmp, scratch, 0);
    folder_let_go(f);
}

/* With flags a file is in cur/ and says them; that it has none is no flag. */
static enum maildir_sub placed_name(const char *base, unsigned flags, char *out, size_t size)
{
    char letters[MAILFLAG_LETTERS];
    enum maildir_sub sub = mailflag_letters(flags, letters) > 0 ? SUB_CUR : SUB_NEW;

    snprintf(out, size, "%s%s%s", base, sub == SUB_CUR ? ":2," : "", letters);
    return sub;
}

int maildir_placed_path(const struct maildir_folder *f, const char *base, unsigned flags, struct buf *out)
{
    char name[PLACED_NAME_MAX];
    enum maildir_sub sub = placed_name(base, flags, name, sizeof(name));

    return buf_putf(out, "%s/%s/%s", f->path, sub == SUB_CUR ? "cur" : "new", name);
}

static int place(struct maildir_folder *f, int tmp, const char *scratch, const char *base, unsigned flags)
{
    char name[PLACED_NAME_MAX];
    enum maildir_sub sub = placed_name(base, flags, name, sizeof(name));
    int to = folder_hold(f, sub), rc, saved;

    if (to < 0)
        return -1;
    rc = maildir_move(f->md, tmp, scratch, to, name);
    saved = errno;
    if (rc == 0)
        atomic_store(&f->dirty[sub], true);
    atomic_store(&f->seen_old, true);
    folder_let_go(f);
    errno = saved;
    return rc;
}

int maildir_place(struct maildir_folder *f, const char *scratch, const char *base, unsigned flags, struct err *e)
{
    int tmp = folder_hold(f, SUB_TMP), rc;

    rc = tmp < 0 ? -1 : place(f, tmp, scratch, base, flags);
    if (rc != 0)
        disk_err(e, errno, "Maildir folder %s", f->path);
    if (tmp >= 0)
        folder_let_go(f);
    if (rc == 0)
        step("maildir.placed");
    return rc;
}

int maildir_sync(struct maildir_folder *f, struct err *e)
{
    for (int sub = SUB_NEW; sub < SUB_COUNT; sub++) {
        int fd, rc;

        if (!atomic_exchange(&f->dirty[sub], false))
            continue;
        fd = folder_hold(f, (enum maildir_sub)sub);
        rc = fd < 0 ? -1 : disk_sync_dir(fd);
        if (rc != 0)
            disk_err(e, errno, "Maildir folder %s/%s", f->path, maildir_sub_names[sub]);
        if (fd >= 0)
            folder_let_go(f);
        if (rc != 0)
            return -1;
        step("maildir.synced");
    }
    return 0;
}
