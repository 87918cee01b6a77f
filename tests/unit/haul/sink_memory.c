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
