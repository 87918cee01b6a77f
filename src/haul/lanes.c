/* SPDX-License-Identifier: MIT */
#include "haul/lanes.h"

#include "base/log.h"

enum { STACK = 256 * 1024 };

struct lane {
    void (*fn)(void *ctx);
    void *ctx;
    char account[]; /* for the log */
};

static void *run(void *arg)
{
    struct lane *lane = arg;

    log_account(lane->account);
    lane->fn(lane->ctx);
    free(lane);
    return NULL;
}

void lanes_init(struct lanes *l)
{
    pthread_mutex_init(&l->lock, NULL);
    l->count = 0;
}

static bool start(pthread_t *thread, struct lane *lane)
{
    pthread_attr_t attr;
    bool started;

    if (pthread_attr_init(&attr) != 0)
        return false;
    pthread_attr_setstacksize(&attr, STACK);
    started = pthread_create(thread, &attr, run, lane) == 0;
    pthread_attr_destroy(&attr);
    return started;
}

bool lanes_add(struct lanes *l, void (*fn)(void *ctx), void *ctx)
{
    size_t name = strlen(log_account_name()) + 1;
    struct lane *lane = malloc(sizeof(*lane) + name);
    bool started = false;

    if (lane == NULL)
        return false;
    lane->fn = fn;
    lane->ctx = ctx;
    memcpy(lane->account, log_account_name(), name);
    pthread_mutex_lock(&l->lock);
    if (l->count < LANES_MAX && start(&l->threads[l->count], lane)) {
        l->count++;
        started = true;
    }
    pthread_mutex_unlock(&l->lock);
    if (!started)
        free(lane);
    return started;
}

void lanes_wait(struct lanes *l)
{
    for (size_t i = 0;; i++) {
        pthread_t thread = 0;
        bool more;

        pthread_mutex_lock(&l->lock);
        more = i < l->count;
        if (more)
            thread = l->threads[i];
        pthread_mutex_unlock(&l->lock);
        if (!more)
            break;
        pthread_join(thread, NULL);
    }
    pthread_mutex_destroy(&l->lock);
}
