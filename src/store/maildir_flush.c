/* SPDX-License-Identifier: MIT
 * The flushes of a batch, side by side. Each fsync ends in a flush of the disk's cache; those that run at once share
 * it, and share the commit of the file system's journal. 256 small files on ext4: 145 to 310 ms one after the other, 6
 * to 10 ms by eight threads (measured).
 */
#include "store/maildir.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    THREADS = 7,    /* besides the caller */
    FILES_EACH = 4, /* below that, starting a thread costs more than it saves */
    STACK = 64 * 1024,
};

struct flush_work {
    const struct maildir_flush *files;
    size_t count;
    _Atomic size_t next;
    _Atomic bool failed;
    pthread_mutex_t lock;
    struct err err; /* of the first that failed */
};

static void *flush_some(void *arg)
{
    struct flush_work *w = arg;
    struct err e;

    while (!atomic_load(&w->failed)) {
        size_t i = atomic_fetch_add(&w->next, 1);
        if (i >= w->count)
            break;
        if (maildir_flush_file(w->files[i].folder, w->files[i].fd, &e) == 0)
            continue;
        pthread_mutex_lock(&w->lock);
        if (!atomic_exchange(&w->failed, true))
            w->err = e;
        pthread_mutex_unlock(&w->lock);
    }
    return NULL;
}

int maildir_flush_files(const struct maildir_flush *files, size_t count, struct err *e)
{
    struct flush_work w = { .files = files, .count = count, .lock = PTHREAD_MUTEX_INITIALIZER };
    pthread_t threads[THREADS];
    pthread_attr_t attr;
    size_t started = 0;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK);
    while (started < THREADS && started < count / FILES_EACH &&
           pthread_create(&threads[started], &attr, flush_some, &w) == 0)
        started++;
    pthread_attr_destroy(&attr);
    flush_some(&w);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    pthread_mutex_destroy(&w.lock);
    if (!atomic_load(&w.failed))
        return 0;
    *e = w.err;
    return -1;
}
