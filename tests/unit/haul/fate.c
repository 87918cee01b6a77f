/* SPDX-License-Identifier: MIT */
#include "fate.h"

#include <pthread.h>
#include <stdio.h>

enum { RECORDS_MAX = 1024, RECORD_NAME = 40 };

struct record {
    int64_t message, sink;
    char name[RECORD_NAME];
    bool delivered;
};

struct records {
    struct record v[RECORDS_MAX];
    size_t count;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static enum fate fate;
static unsigned steps, strike_at, commits;
static bool struck, in_transaction, changed;
static struct records committed, pending;
static bool (*is_durable)(int64_t sink, const char *name);

int __real_journal_begin(struct journal *j, struct err *e);
int __real_journal_begin_light(struct journal *j, struct err *e);
int __real_journal_commit(struct journal *j, struct err *e);
void __real_journal_rollback(struct journal *j);
int __real_journal_stage(struct journal *j, int64_t message, int64_t sink, const char *name, struct err *e);
int __real_journal_delivery(struct journal *j, int64_t message, int64_t sink, enum delivery_state state,
                            const char *name, struct err *e);
int __real_journal_message_put(struct journal *j, struct journal_message *m, struct err *e);
int __real_journal_message_delete(struct journal *j, int64_t message, struct err *e);
int __real_journal_folder_put(struct journal *j, struct slice name, struct journal_folder *f, struct err *e);
int __wrap_journal_begin(struct journal *j, struct err *e);
int __wrap_journal_begin_light(struct journal *j, struct err *e);
int __wrap_journal_commit(struct journal *j, struct err *e);
void __wrap_journal_rollback(struct journal *j);
int __wrap_journal_stage(struct journal *j, int64_t message, int64_t sink, const char *name, struct err *e);
int __wrap_journal_delivery(struct journal *j, int64_t message, int64_t sink, enum delivery_state state,
                            const char *name, struct err *e);
int __wrap_journal_message_put(struct journal *j, struct journal_message *m, struct err *e);
int __wrap_journal_message_delete(struct journal *j, int64_t message, struct err *e);
int __wrap_journal_folder_put(struct journal *j, struct slice name, struct journal_folder *f, struct err *e);

void fate_broken(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fprintf(stderr, "the invariant is broken: ");
    vfprintf(stderr, fmt, ap);
    fprintf(stderr, "\n");
    va_end(ap);
    abort();
}

void fate_reset(void)
{
    committed.count = pending.count = 0;
    commits = 0;
    in_transaction = changed = false;
    is_durable = NULL;
    fate_set(FATE_NEVER, 0);
}

void fate_set(enum fate how, unsigned step)
{
    fate = how;
    strike_at = step;
    steps = 0;
    struck = false;
    commits = 0;
}

bool fate_struck(void)
{
    return struck;
}

unsigned fate_steps(void)
{
    return steps;
}

static int ended(struct err *e)
{
    return err_set(e, E_DISK, "the world has ended");
}

int fate_step(struct err *e)
{
    bool now;

    pthread_mutex_lock(&lock);
    if (!struck)
        steps++;
    if (fate == FATE_BEFORE && steps == strike_at)
        struck = true;
    now = struck;
    pthread_mutex_unlock(&lock);
    return now ? ended(e) : 0;
}

int fate_done(struct err *e)
{
    bool now;

    pthread_mutex_lock(&lock);
    if (fate == FATE_AFTER && steps == strike_at)
        struck = true;
    now = struck;
    pthread_mutex_unlock(&lock);
    return now ? ended(e) : 0;
}

unsigned fate_commits(void)
{
    return commits;
}

static struct record *find(struct records *r, int64_t message, int64_t sink)
{
    for (size_t i = 0; i < r->count; i++) {
        if (r->v[i].message == message && r->v[i].sink == sink)
            return &r->v[i];
    }
    return NULL;
}

bool fate_is_staged(int64_t sink, const char *name)
{
    for (size_t i = 0; i < committed.count; i++) {
        if (committed.v[i].sink == sink && strcmp(committed.v[i].name, name) == 0)
            return true;
    }
    return false;
}

bool fate_is_delivered(int64_t message, int64_t sink)
{
    const struct record *r = find(&committed, message, sink);

    return r != NULL && r->delivered;
}

bool fate_in_transaction(void)
{
    return in_transaction;
}

void fate_judge(bool (*judge)(int64_t sink, const char *name))
{
    is_durable = judge;
}

static int begin(struct journal *j, int (*real)(struct journal *, struct err *), struct err *e)
{
    if (fate_step(e) != 0 || real(j, e) != 0)
        return -1;
    if (fate_done(e) != 0) {
        __real_journal_rollback(j);
        return -1;
    }
    in_transaction = true;
    changed = false;
    pending = committed;
    return 0;
}

int __wrap_journal_begin(struct journal *j, struct err *e)
{
    return begin(j, __real_journal_begin, e);
}

int __wrap_journal_begin_light(struct journal *j, struct err *e)
{
    return begin(j, __real_journal_begin_light, e);
}

int __wrap_journal_commit(struct journal *j, struct err *e)
{
    if (fate_step(e) != 0) {
        __real_journal_rollback(j);
        in_transaction = false;
        return -1;
    }
    if (__real_journal_commit(j, e) != 0)
        return -1;
    in_transaction = false;
    committed = pending;
    commits += changed;
    return fate_done(e);
}

void __wrap_journal_rollback(struct journal *j)
{
    in_transaction = false;
    __real_journal_rollback(j);
}

int __wrap_journal_stage(struct journal *j, int64_t message, int64_t sink, const char *name, struct err *e)
{
    struct record *r;

    if (__real_journal_stage(j, message, sink, name, e) != 0)
        return -1;
    changed = true;
    r = find(&pending, message, sink);
    if (r == NULL) {
        if (pending.count == RECORDS_MAX)
            fate_broken("more records than this test can hold");
        r = &pending.v[pending.count++];
    }
    *r = (struct record){ .message = message, .sink = sink };
    snprintf(r->name, sizeof(r->name), "%s", name);
    return 0;
}

int __wrap_journal_delivery(struct journal *j, int64_t message, int64_t sink, enum delivery_state state,
                            const char *name, struct err *e)
{
    struct record *r = find(&pending, message, sink);

    if (r == NULL)
        fate_broken("a delivery that was never staged is recorded");
    if (name != NULL)
        snprintf(r->name, sizeof(r->name), "%s", name);
    if (state == DELIVERY_DELIVERED && is_durable != NULL && !is_durable(sink, r->name))
        fate_broken("%s is recorded as delivered before it is durable", r->name);
    if (__real_journal_delivery(j, message, sink, state, name, e) != 0)
        return -1;
    changed = true;
    r->delivered = state == DELIVERY_DELIVERED;
    return 0;
}

int __wrap_journal_message_put(struct journal *j, struct journal_message *m, struct err *e)
{
    changed = true;
    return __real_journal_message_put(j, m, e);
}

int __wrap_journal_message_delete(struct journal *j, int64_t message, struct err *e)
{
    changed = true;
    for (size_t i = pending.count; i-- > 0;) {
        if (pending.v[i].message == message)
            pending.v[i] = pending.v[--pending.count];
    }
    return __real_journal_message_delete(j, message, e);
}

int __wrap_journal_folder_put(struct journal *j, struct slice name, struct journal_folder *f, struct err *e)
{
    changed = true;
    return __real_journal_folder_put(j, name, f, e);
}
