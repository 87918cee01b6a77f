/* SPDX-License-Identifier: MIT */
#include "haul/committer.h"

#include "base/clock.h"
#include "base/log.h"

enum {
    /* Of silence towards the source: servers give up after minutes. */
    STALL_MS = 60 * 1000,
    /* Messages of a batch while it is not known how fast a destination elsewhere is. */
    ROOM_AT_FIRST = 64,
};

void committer_init(struct committer *c, const struct batch_store *store)
{
    *c = (struct committer){ .store = *store };
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, NULL);
}

static void *commit_loop(void *arg)
{
    struct committer *c = arg;

    log_account(c->store.account);
    pthread_mutex_lock(&c->lock);
    for (;;) {
        struct batch *b;
        struct err err = ERR_INIT;
        int64_t began;
        size_t count;
        int rc;

        while (c->work == NULL && !c->quit)
            pthread_cond_wait(&c->changed, &c->lock);
        if (c->work == NULL)
            break;
        b = c->work;
        pthread_mutex_unlock(&c->lock);
        count = b->count;
        began = clock_mono_ms();
        rc = batch_commit(&c->store, b, &err);
        pthread_mutex_lock(&c->lock);
        c->took_ms = clock_mono_ms() - began;
        c->took_count = count;
        if (rc != 0) {
            c->failed = true;
            c->err = err;
        }
        c->work = NULL;
        pthread_cond_broadcast(&c->changed);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

void committer_release(struct committer *c)
{
    if (c->started) {
        pthread_mutex_lock(&c->lock);
        c->quit = true;
        pthread_cond_broadcast(&c->changed);
        pthread_mutex_unlock(&c->lock);
        pthread_join(c->thread, NULL);
        c->started = false;
    }
    batch_store_release(&c->store);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->lock);
}

bool committer_idle(struct committer *c)
{
    bool idle;

    pthread_mutex_lock(&c->lock);
    idle = c->work == NULL;
    pthread_mutex_unlock(&c->lock);
    return idle;
}

static bool any_elsewhere(const struct committer *c)
{
    bool any = false;

    for (size_t k = 0; k < c->store.sink_count; k++)
        any |= c->store.sinks[k]->ops->write == NULL;
    return any;
}

size_t committer_room(struct committer *c, size_t most)
{
    size_t room = most;

    pthread_mutex_lock(&c->lock);
    if (c->took_count == 0 && any_elsewhere(c))
        room = ROOM_AT_FIRST;
    else if (c->took_ms > 0)
        room = (size_t)(STALL_MS * (int64_t)c->took_count / c->took_ms);
    pthread_mutex_unlock(&c->lock);
    return room < 1 ? 1 : size_min(room, most);
}

int committer_wait(struct committer *c, struct err *e)
{
    int rc = 0;

    pthread_mutex_lock(&c->lock);
    while (c->work != NULL)
        pthread_cond_wait(&c->changed, &c->lock);
    if (c->failed) {
        *e = c->err;
        rc = -1;
    }
    pthread_mutex_unlock(&c->lock);
    return rc;
}

static int start(struct committer *c, struct err *e)
{
    pthread_attr_t attr;
    int rc;

    if (c->started)
        return 0;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 256 * 1024);
    rc = pthread_create(&c->thread, &attr, commit_loop, c);
    pthread_attr_destroy(&attr);
    if (rc != 0)
        return err_sys(e, E_NOMEM, rc, "no thread could be started");
    c->started = true;
    return 0;
}

int committer_submit(struct committer *c, struct batch *b, struct err *e)
{
    if (committer_wait(c, e) != 0 || start(c, e) != 0) {
        batch_free(&b, c->store.sinks, c->store.sink_count);
        return -1;
    }
    pthread_mutex_lock(&c->lock);
    c->work = b;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
    return 0;
}

int committer_finish(struct committer *c, struct batch *b, struct err *e)
{
    if (committer_wait(c, e) != 0) {
        batch_free(&b, c->store.sinks, c->store.sink_count);
        return -1;
    }
    if (b != NULL && batch_commit(&c->store, b, e) != 0)
        goto failed;
    if (batch_record(&c->store, e) != 0)
        goto failed;
    return 0;
failed:
    c->failed = true;
    c->err = *e;
    return -1;
}
