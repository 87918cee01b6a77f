/* SPDX-License-Identifier: MIT */
#include "haul/sink_maildir.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/io.h"
#include "store/maildir.h"

enum { EARLY_FLUSH = 4 * 1024 * 1024, PATH_MAX_BYTES = 64 * 1024 };

struct slot_file {
    struct maildir_folder *folder;
    int fd;
    unsigned flags;
    char scratch[MAILDIR_NAME_MAX];
};

struct sink_maildir {
    struct sink sink;
    const char *path;
    enum folder_layout layout;
    struct maildir *md;        /* NULL: not open */
    struct slot_file *current; /* the message that streams in */
    uint64_t written, flushed; /* of it */
};

static struct sink_maildir *self(struct sink *s)
{
    return (struct sink_maildir *)s;
}

static int md_describe(const struct sink *s, struct buf *out)
{
    return buf_putf(out, "Maildir %s", ((const struct sink_maildir *)s)->path);
}

static int check_marker(struct sink_maildir *m, const struct journal_sink *known, bool adopt, const char *id,
                        bool found, struct err *e)
{
    if (known->marker[0] == '\0' || adopt || !known->has_delivered)
        return 0;
    if (!found)
        return err_set(
            e, E_DISK,
            "Maildir %s has lost its .mailhaul-id, so it is not the one that was delivered to before (is it "
            "mounted?); nothing was fetched or removed; if it is right as it is, run: mailhaul check --adopt",
            m->path);
    if (strcmp(id, known->marker) != 0)
        return err_set(
            e, E_DISK,
            "Maildir %s has the .mailhaul-id of another Maildir; nothing was fetched or removed; if it is right "
            "as it is, run: mailhaul check --adopt",
            m->path);
    return 0;
}

/* The user who says that the Maildir is right as it is means a damaged marker as well. */
static int read_marker(struct sink_maildir *m, bool replace, char *id, bool *found, struct err *e)
{
    if (maildir_marker_read(m->md, id, found, e) == 0)
        return 0;
    if (!replace)
        return -1;
    maildir_marker_drop(m->md);
    return maildir_marker_read(m->md, id, found, e);
}

static int md_open(struct sink *s, const char *tag, const struct journal_sink *known, bool read_only, bool adopt,
                   char *marker_out, struct err *e)
{
    struct sink_maildir *m = self(s);
    char id[MAILDIR_ID_LEN + 1] = "";
    bool fresh = !known->has_delivered || adopt, found = false;
    struct stat st;

    marker_out[0] = '\0';
    if (fresh && read_only && stat(m->path, &st) != 0 && errno == ENOENT)
        return 0;
    if (!fresh && stat(m->path, &st) != 0 && errno != ENOENT)
        return err_sys(
            e, E_DISK, errno,
            "Maildir %s, to which mail was delivered before, cannot be reached; nothing was fetched or removed",
            m->path);
    if (!fresh && stat(m->path, &st) != 0)
        return err_set(
            e, E_DISK,
            "Maildir %s is not there, though mail was delivered before (is it mounted?); nothing was fetched "
            "or removed; if its path was changed on purpose, run: mailhaul check --adopt",
            m->path);
    if (maildir_open(m->path, m->layout, tag, fresh && !read_only, &m->md, e) != 0 ||
        read_marker(m, adopt && !read_only, id, &found, e) != 0 || check_marker(m, known, adopt, id, found, e) != 0)
        return -1;
    /* One that the journal does not know may be of a run that was killed before the way to it was flushed. */
    if ((!found || known->marker[0] == '\0') && !read_only && maildir_marker_make(m->md, id, e) != 0)
        return -1;
    memcpy(marker_out, id, sizeof(id));
    return 0;
}

static int md_recover(struct sink *s, struct slice folder, char delimiter, const char *name,
                      enum delivery_state *state_out, struct err *e)
{
    struct maildir_folder *f;
    bool found = false;

    if (maildir_folder(self(s)->md, folder, delimiter, false, &f, e) != 0)
        return -1;
    if (f != NULL && maildir_find(f, name, &found, e) != 0)
        return -1;
    /* A rename that was not followed by fsync of the directory may still be undone by a power cut. */
    if (found && maildir_sync(f, e) != 0)
        return -1;
    *state_out = found ? DELIVERY_DELIVERED : DELIVERY_WANTED;
    return 0;
}

static int md_sweep(struct sink *s, struct err *e)
{
    return self(s)->md != NULL ? maildir_sweep_all(self(s)->md, e) : 0;
}

static int md_begin(struct sink *s, const struct sink_message *message, struct err *e)
{
    struct sink_maildir *m = self(s);
    struct slot_file *file = calloc(1, sizeof(*file));

    if (file == NULL)
        return err_nomem(e);
    file->fd = -1;
    if (maildir_folder(m->md, message->folder, message->delimiter, true, &file->folder, e) != 0 ||
        maildir_scratch(file->folder, &file->fd, file->scratch, e) != 0) {
        free(file);
        return -1;
    }
    m->current = file;
    m->written = m->flushed = 0;
    return 0;
}

static int md_write(struct sink *s, struct slice bytes, struct err *e)
{
    struct sink_maildir *m = self(s);

    if (io_write_all(m->current->fd, bytes.p, bytes.n) != 0)
        return err_sys(e, E_DISK, errno, "%s cannot be written", maildir_folder_path(m->current->folder));
    m->written += bytes.n;
    if (m->written - m->flushed >= EARLY_FLUSH) {
        maildir_start_flush(m->current->fd);
        m->flushed = m->written;
    }
    return 0;
}

static int md_finish(struct sink *s, const struct sink_message *message, struct sink_slot *slot, struct err *e)
{
    struct sink_maildir *m = self(s);
    struct slot_file *file = m->current;
    struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = message->date } };

    if (message->date != 0 && futimens(file->fd, times) != 0)
        return err_sys(e, E_DISK, errno, "the time of a file in %s cannot be set", maildir_folder_path(file->folder));
    file->flags = message->flags;
    maildir_base_name(slot->name);
    slot->state = DELIVERY_WANTED;
    slot->own = file;
    m->current = NULL;
    return 0;
}

static void drop_file(struct slot_file *file, bool placed)
{
    if (file == NULL)
        return;
    io_close(&file->fd);
    if (!placed)
        maildir_scratch_drop(file->folder, file->scratch);
    free(file);
}

static void md_abort(struct sink *s)
{
    drop_file(self(s)->current, false);
    self(s)->current = NULL;
}

static int md_prepare(struct sink *s, struct sink_slot *const *slots, size_t count, struct err *e)
{
    struct maildir_flush *files = calloc(count, sizeof(*files));
    int rc;

    (void)s;
    if (files == NULL)
        return err_nomem(e);
    for (size_t i = 0; i < count; i++) {
        const struct slot_file *file = slots[i]->own;
        files[i] = (struct maildir_flush){ .folder = file->folder, .fd = file->fd };
    }
    rc = maildir_flush_files(files, count, e);
    for (size_t i = 0; i < count && rc == 0; i++) {
        struct slot_file *file = slots[i]->own;
        io_close(&file->fd);
    }
    free(files);
    return rc;
}

/* For whoever wants to know; without memory nobody is told. */
static void note_path(struct sink_slot *slot, const struct slot_file *file)
{
    struct buf path = BUF_INIT(PATH_MAX_BYTES);

    free(slot->path);
    slot->path = NULL;
    if (maildir_placed_path(file->folder, slot->name, file->flags, &path) == 0)
        slot->path = slice_dup(buf_slice(&path));
    buf_release(&path);
}

static int md_commit(struct sink *s, struct sink_slot *const *slots, size_t count, const struct sink_record *record,
                     struct err *e)
{
    struct maildir_folder *last = NULL;

    (void)s;
    (void)record;
    for (size_t i = 0; i < count; i++) {
        struct slot_file *file = slots[i]->own;
        /* Marked at once: from here on the file is not ours to drop, whatever fails behind it. */
        if (maildir_place(file->folder, file->scratch, slots[i]->name, file->flags, e) != 0)
            return -1;
        slots[i]->state = DELIVERY_STAGED;
    }
    for (size_t i = 0; i < count; i++) {
        struct slot_file *file = slots[i]->own;
        if (file->folder != last && maildir_sync(file->folder, e) != 0)
            return -1;
        last = file->folder;
        slots[i]->state = DELIVERY_DELIVERED;
        note_path(slots[i], file);
    }
    return 0;
}

static void md_discard(struct sink *s, struct sink_slot *slot)
{
    (void)s;
    drop_file(slot->own, slot->state != DELIVERY_WANTED);
    slot->own = NULL;
}

static void md_close(struct sink *s)
{
    md_abort(s);
    maildir_close(&self(s)->md);
}

static void md_free(struct sink *s)
{
    free(s);
}

static const struct sink_ops maildir_ops = {
    .type = "maildir",
    .describe = md_describe,
    .open = md_open,
    .recover = md_recover,
    .sweep = md_sweep,
    .begin = md_begin,
    .write = md_write,
    .finish = md_finish,
    .abort = md_abort,
    .prepare = md_prepare,
    .commit = md_commit,
    .discard = md_discard,
    .close = md_close,
    .free = md_free,
};

struct sink *sink_maildir_new(const char *name, const char *path, enum folder_layout layout)
{
    struct sink_maildir *m = calloc(1, sizeof(*m));

    if (m == NULL)
        return NULL;
    m->sink.ops = &maildir_ops;
    m->sink.name = name;
    m->path = path;
    m->layout = layout;
    return &m->sink;
}
