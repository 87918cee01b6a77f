/* SPDX-License-Identifier: MIT */
#include "sink_memory.h"

#include <pthread.h>
#include <stdio.h>

#include "fate.h"

/* Names and states of all files: one thread makes them, the other places them. */
static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;

static enum mem_file_state state_of(const struct mem_file *file)
{
    enum mem_file_state state;

    pthread_mutex_lock(&table);
    state = file->state;
    pthread_mutex_unlock(&table);
    return state;
}

static void set_state(struct mem_file *file, enum mem_file_state state)
{
    pthread_mutex_lock(&table);
    file->state = state;
    pthread_mutex_unlock(&table);
}

static struct sink_memory *self(struct sink *s)
{
    return (struct sink_memory *)s;
}

static int called(struct sink_memory *m, enum sink_call call, struct err *e)
{
    if (m->fail == call && (m->fail_after == 0 || m->fail_after-- == 0))
        return err_set(e, E_DISK, "%s is full", m->sink.name);
    return fate_step(e);
}

static int mem_describe(const struct sink *s, struct buf *out)
{
    return buf_putf(out, "memory %s", s->name);
}

static int mem_open(struct sink *s, const char *tag, const struct journal_sink *known, bool read_only, bool adopt,
                    char *marker_out, struct err *e)
{
    struct sink_memory *m = self(s);

    (void)adopt;
    marker_out[0] = '\0';
    if (strlen(tag) != JOURNAL_TAG_LEN)
        fate_broken("a sink is opened without a tag");
    if (called(m, CALL_OPEN, e) != 0)
        return -1;
    if (known->marker[0] != '\0' && strcmp(known->marker, m->marker) != 0)
        return err_set(e, E_DISK, "%s is another one", s->name);
    if (!read_only)
        snprintf(marker_out, sizeof(m->marker), "%s", m->marker);
    return 0;
}

static struct mem_file *find_name(struct sink_memory *m, const char *name)
{
    for (size_t i = 0; i < MEM_FILES; i++) {
        if (m->files[i].state != FILE_NONE && strcmp(m->files[i].name, name) == 0)
            return &m->files[i];
    }
    return NULL;
}

static int mem_recover(struct sink *s, struct slice folder, char delimiter, const char *name,
                       enum delivery_state *state_out, struct err *e)
{
    struct sink_memory *m = self(s);
    struct mem_file *file = find_name(m, name);

    (void)delimiter;
    if (called(m, CALL_RECOVER, e) != 0)
        return -1;
    m->recovered++;
    *state_out = DELIVERY_WANTED;
    if (file == NULL || file->state < FILE_PLACED)
        return 0;
    if (!slice_eq(folder, slice_str(file->folder)))
        fate_broken("%s is looked for in another folder than %s", name, file->folder);
    file->state = FILE_DURABLE;
    *state_out = DELIVERY_DELIVERED;
    return 0;
}

static int mem_sweep(struct sink *s, struct err *e)
{
    (void)e;
    self(s)->swept++;
    return 0;
}

static int mem_begin(struct sink *s, const struct sink_message *message, struct err *e)
{
    struct sink_memory *m = self(s);
    struct mem_file *file = NULL;

    if (called(m, CALL_BEGIN, e) != 0)
        return -1;
    if (m->current != NULL)
        fate_broken("a message begins in the middle of another");
    pthread_mutex_lock(&table);
    for (size_t i = 0; i < MEM_FILES && file == NULL; i++)
        file = m->files[i].state == FILE_NONE ? &m->files[i] : NULL;
    if (file == NULL)
        fate_broken("more files than this test can hold");
    *file = (struct mem_file){ .state = FILE_OPEN };
    pthread_mutex_unlock(&table);
    snprintf(file->folder, sizeof(file->folder), "%.*s", SLICE_ARG(message->folder));
    m->current = file;
    m->begun++;
    return fate_done(e);
}

static int mem_write(struct sink *s, struct slice bytes, struct err *e)
{
    struct sink_memory *m = self(s);
    struct mem_file *file = m->current;

    if (called(m, CALL_WRITE, e) != 0)
        return -1;
    if (file == NULL)
        fate_broken("bytes of no message");
    if (m->null) {
        m->null_octets += bytes.n;
        return 0;
    }
    if (file->len + bytes.n >= MEM_BODY)
        fate_broken("a message longer than this test can hold");
    memcpy(file->body + file->len, bytes.p, bytes.n);
    file->len += bytes.n;
    return fate_done(e);
}

static int mem_finish(struct sink *s, const struct sink_message *message, struct sink_slot *slot, struct err *e)
{
    struct sink_memory *m = self(s);

    if (called(m, CALL_FINISH, e) != 0)
        return -1;
    pthread_mutex_lock(&table);
    snprintf(m->current->name, sizeof(m->current->name), "%s-%u", s->name, ++m->made);
    m->current->state = FILE_FINISHED;
    pthread_mutex_unlock(&table);
    m->current->flags = message->flags;
    m->current->date = message->date;
    m->current->octets = message->octets;
    snprintf(slot->name, sizeof(slot->name), "%s", m->current->name);
    slot->state = DELIVERY_WANTED;
    slot->own = m->current;
    m->current = NULL;
    return fate_done(e);
}

static void mem_abort(struct sink *s)
{
    struct sink_memory *m = self(s);

    if (m->current != NULL)
        set_state(m->current, FILE_NONE);
    m->current = NULL;
}

static int mem_prepare(struct sink *s, struct sink_slot *const *slots, size_t count, struct err *e)
{
    if (called(self(s), CALL_PREPARE, e) != 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct mem_file *file = slots[i]->own;
        if (state_of(file) != FILE_FINISHED)
            fate_broken("%s is prepared twice or too early", file->name);
        set_state(file, FILE_PREPARED);
    }
    return fate_done(e);
}

static bool refused(const struct sink_memory *m, struct sink_slot *slot)
{
    const struct mem_file *file = slot->own;

    if (m->reject[0] != '\0' && strstr(file->body, m->reject) != NULL)
        slot->state = DELIVERY_REJECTED;
    else if (m->later[0] == '\0' || strstr(file->body, m->later) == NULL)
        return false;
    sink_slot_why(slot, "not today");
    return true;
}

static int mem_commit(struct sink *s, struct sink_slot *const *slots, size_t count, const struct sink_record *record,
                      struct err *e)
{
    (void)record;
    struct sink_memory *m = self(s);

    for (size_t i = 0; i < count; i++) {
        struct mem_file *file = slots[i]->own;

        if (called(m, CALL_COMMIT, e) != 0)
            return -1;
        if (state_of(file) != FILE_PREPARED)
            fate_broken("%s is placed before it was prepared", file->name);
        if (!fate_is_staged(s->row, file->name))
            fate_broken("%s is placed before STAGED is durable", file->name);
        if (refused(m, slots[i]))
            continue;
        set_state(file, FILE_PLACED);
        slots[i]->state = DELIVERY_STAGED;
        if (fate_done(e) != 0)
            return -1;
    }
    if (fate_step(e) != 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (slots[i]->state != DELIVERY_STAGED)
            continue;
        set_state(slots[i]->own, FILE_DURABLE);
        slots[i]->state = DELIVERY_DELIVERED;
    }
    return fate_done(e);
}

static void mem_discard(struct sink *s, struct sink_slot *slot)
{
    struct mem_file *file = slot->own;

    (void)s;
    if (state_of(file) < FILE_PLACED)
        set_state(file, FILE_NONE);
    slot->own = NULL;
}

static void mem_close(struct sink *s)
{
    mem_abort(s);
}

static void mem_free(struct sink *s)
{
    (void)s;
}

static const struct sink_ops memory_ops = {
    .type = "memory",
    .describe = mem_describe,
    .open = mem_open,
    .recover = mem_recover,
    .sweep = mem_sweep,
    .begin = mem_begin,
    .write = mem_write,
    .finish = mem_finish,
    .abort = mem_abort,
    .prepare = mem_prepare,
    .commit = mem_commit,
    .discard = mem_discard,
    .close = mem_close,
    .free = mem_free,
};

/* ---- a server elsewhere ---- */

struct parcel {
    struct spool_file *file;
    struct mem_file facts; /* but for the body, which is read when it is handed over */
};

static bool has_words(const char *body, const char *words)
{
    return words[0] != '\0' && (strcmp(words, "*") == 0 || strstr(body, words) != NULL);
}

static int remote_ready(struct sink *s, struct err *e)
{
    struct sink_memory *m = self(s);

    m->readied++;
    return m->down == E_NONE ? 0 : err_set(e, m->down, "no way to %s", s->name);
}

static int remote_open(struct sink *s, const char *tag, const struct journal_sink *known, bool read_only, bool adopt,
                       char *marker_out, struct err *e)
{
    if (self(s)->absent != E_NONE)
        return err_set(e, self(s)->absent, "%s is not there", s->name);
    return mem_open(s, tag, known, read_only, adopt, marker_out, e);
}

static int remote_prepare(struct sink *s, struct sink_slot *const *slots, size_t count, struct err *e)
{
    (void)slots;
    (void)count;
    self(s)->prepared++;
    return self(s)->lame == E_NONE ? 0 : err_set(e, self(s)->lame, "%s cannot get ready", s->name);
}

static int remote_finish(struct sink *s, const struct sink_message *message, struct sink_slot *slot, struct err *e)
{
    struct sink_memory *m = self(s);
    struct parcel *p;

    if (called(m, CALL_FINISH, e) != 0)
        return -1;
    if (message->file == NULL)
        fate_broken("%s is to take a message that is not in the spool", s->name);
    p = calloc(1, sizeof(*p));
    if (p == NULL)
        return err_nomem(e);
    p->file = spool_keep(message->file);
    p->facts.flags = message->flags;
    p->facts.date = message->date;
    p->facts.octets = message->octets;
    snprintf(p->facts.folder, sizeof(p->facts.folder), "%.*s", SLICE_ARG(message->folder));
    snprintf(slot->name, sizeof(slot->name), "%s-%u", s->name, ++m->made);
    slot->state = DELIVERY_WANTED;
    slot->own = p;
    m->begun++;
    return fate_done(e);
}

static void remote_discard(struct sink *s, struct sink_slot *slot)
{
    struct parcel *p = slot->own;

    (void)s;
    spool_release(&p->file);
    free(p);
    slot->own = NULL;
}

static struct mem_file *find_body(struct sink_memory *m, const char *body)
{
    for (size_t i = 0; i < MEM_FILES; i++) {
        if (m->files[i].state == FILE_DURABLE && strcmp(m->files[i].body, body) == 0)
            return &m->files[i];
    }
    return NULL;
}

/* It is there from now on, for recipient number `to`. */
static void take(struct sink_memory *m, const struct sink_slot *slot, const struct parcel *p, unsigned to)
{
    struct mem_file *file;

    pthread_mutex_lock(&table);
    file = find_body(m, p->facts.body);
    if (file != NULL && (file->to & (1u << to)) != 0 && !slot->doubtful)
        fate_broken("%s gets a message again, and nobody was in doubt of it", m->sink.name);
    for (size_t i = 0; i < MEM_FILES && file == NULL; i++) {
        if (m->files[i].state != FILE_NONE)
            continue;
        file = &m->files[i];
        *file = p->facts;
        file->state = FILE_DURABLE;
    }
    if (file == NULL)
        fate_broken("more files than this test can hold");
    file->to |= 1u << to;
    snprintf(file->name, sizeof(file->name), "%.31s", slot->name);
    pthread_mutex_unlock(&table);
}

static int write_record(const struct sink_record *record, struct sink_slot *slot, enum delivery_state state,
                        const char *why, struct err *e)
{
    slot->state = state;
    if (why != NULL)
        sink_slot_why(slot, why);
    return record->write(record->ctx, slot, e);
}

static int hand_over(struct sink_memory *m, struct sink_slot *slot, const struct sink_record *record, struct err *e)
{
    struct parcel *p = slot->own;
    bool full = false;

    if (write_record(record, slot, DELIVERY_IN_DOUBT, NULL, e) != 0 || fate_step(e) != 0)
        return -1;
    for (unsigned to = 0; to == 0 || (to < MEM_RECIPIENTS && m->recipients[to] != NULL); to++) {
        const char *name = m->recipients[to];

        if (name != NULL && sink_slot_has(slot, slice_str(name)))
            continue;
        if (name != NULL && m->full != NULL && strcmp(name, m->full) == 0) {
            full = true;
            continue;
        }
        take(m, slot, p, to);
        if (name != NULL && buf_put(&slot->done, name, strlen(name) + 1) != 0)
            return err_nomem(e);
    }
    if (fate_done(e) != 0)
        return -1;
    if (has_words(p->facts.body, m->doubt)) {
        sink_slot_why(slot, "the line was cut");
        return 0;
    }
    return full ? write_record(record, slot, DELIVERY_WANTED, "452 mailbox full", e)
                : write_record(record, slot, DELIVERY_DELIVERED, NULL, e);
}

static int remote_commit_one(struct sink_memory *m, struct sink_slot *slot, const struct sink_record *record,
                             struct err *e)
{
    struct parcel *p = slot->own;
    size_t n;

    if (called(m, CALL_COMMIT, e) != 0 || spool_read(p->file, 0, p->facts.body, MEM_BODY - 1, &n, e) != 0)
        return -1;
    p->facts.len = n;
    if (!slot->doubtful && !fate_is_staged(m->sink.row, slot->name))
        fate_broken("%s is handed over before STAGED is durable", slot->name);
    if (slot->message == 0)
        fate_broken("%s has no row", slot->name);
    if (m->sink.ops->staged_means == DELIVERY_IN_DOUBT && slot->doubtful && find_body(m, p->facts.body) != NULL)
        return write_record(record, slot, DELIVERY_DELIVERED, NULL, e);
    if (has_words(p->facts.body, m->unfit)) {
        slot->by_us = true;
        return write_record(record, slot, DELIVERY_REJECTED, "nobody is named in it", e);
    }
    m->handed++;
    if (has_words(p->facts.body, m->reject))
        return write_record(record, slot, DELIVERY_REJECTED, "550 5.7.1 never", e);
    if (has_words(p->facts.body, m->later))
        return write_record(record, slot, DELIVERY_WANTED, "451 4.7.1 later", e);
    return hand_over(m, slot, record, e);
}

static int remote_commit(struct sink *s, struct sink_slot *const *slots, size_t count, const struct sink_record *record,
                         struct err *e)
{
    struct sink_memory *m = self(s);

    if (m->readied == 0)
        fate_broken("%s is to take mail and was never asked whether it can", s->name);
    for (size_t i = 0; i < count; i++) {
        if (m->down_after > 0 && m->handed == m->down_after)
            return err_set(e, m->cut != E_NONE ? m->cut : E_NET, "the connection to %s was cut", s->name);
        if (remote_commit_one(m, slots[i], record, e) != 0)
            return -1;
    }
    return 0;
}

static const struct sink_ops remote_ops = {
    .type = "remote",
    .describe = mem_describe,
    .open = remote_open,
    .ready = remote_ready,
    .finish = remote_finish,
    .prepare = remote_prepare,
    .commit = remote_commit,
    .discard = remote_discard,
    .close = mem_close,
    .free = mem_free,
};

static const struct sink_ops looking_ops = {
    .type = "remote",
    .describe = mem_describe,
    .open = remote_open,
    .ready = remote_ready,
    .staged_means = DELIVERY_IN_DOUBT,
    .finish = remote_finish,
    .prepare = remote_prepare,
    .commit = remote_commit,
    .discard = remote_discard,
    .close = mem_close,
    .free = mem_free,
};

void sink_memory_remote(struct sink_memory *m, bool looks)
{
    m->sink.ops = looks ? &looking_ops : &remote_ops;
    m->marker[0] = '\0';
}

void sink_memory_init(struct sink_memory *m, const char *name)
{
    memset(m, 0, sizeof(*m));
    m->sink.ops = &memory_ops;
    m->sink.name = name;
    snprintf(m->marker, sizeof(m->marker), "marker of %s", name);
}

void sink_memory_power_cut(struct sink_memory *m, bool keep_placed)
{
    for (size_t i = 0; i < MEM_FILES; i++) {
        struct mem_file *file = &m->files[i];
        if (file->state < FILE_PLACED || (file->state == FILE_PLACED && !keep_placed))
            file->state = FILE_NONE;
    }
}

bool sink_memory_is_durable(struct sink_memory *m, const char *name)
{
    bool found = false;

    pthread_mutex_lock(&table);
    for (size_t i = 0; i < MEM_FILES && !found; i++)
        found = m->files[i].state == FILE_DURABLE && strcmp(m->files[i].name, name) == 0;
    pthread_mutex_unlock(&table);
    return found;
}

size_t sink_memory_having(const struct sink_memory *m, const char *words)
{
    size_t n = 0;

    for (size_t i = 0; i < MEM_FILES; i++)
        n += m->files[i].state >= FILE_PLACED && strstr(m->files[i].body, words) != NULL;
    return n;
}

size_t sink_memory_count(const struct sink_memory *m)
{
    return sink_memory_having(m, "");
}

const struct mem_file *sink_memory_find(const struct sink_memory *m, const char *words)
{
    for (size_t i = 0; i < MEM_FILES; i++) {
        if (m->files[i].state >= FILE_PLACED && strstr(m->files[i].body, words) != NULL)
            return &m->files[i];
    }
    return NULL;
}

size_t sink_memory_scratch(const struct sink_memory *m)
{
    size_t n = 0;

    for (size_t i = 0; i < MEM_FILES; i++)
        n += m->files[i].state != FILE_NONE && m->files[i].state < FILE_PLACED;
    return n;
}
