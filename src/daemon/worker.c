/* SPDX-License-Identifier: MIT */
#include "daemon/worker.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"

enum { STACK = 512 * 1024, LINGER_MS = 10 * 1000, SHORT_EXTRA = 16, THREADS_MAX = 1024 };

struct queue {
    struct job *first, *last;
    size_t count;
};

struct thread {
    pthread_t id;
    bool used, ended; /* ended: to be joined */
    bool woken;
    pthread_cond_t wake;
    struct thread *next; /* idle */
};

struct workers {
    pthread_mutex_t lock;
    pthread_cond_t quiet; /* a thread has ended */
    struct queue short_jobs, long_jobs, done;
    struct thread *idle; /* who went to sleep last is woken first, so that those who are not needed end */
    unsigned most, running_long, running, sleeping, threads, ended;
    bool stop;
    int event;
    struct thread slots[THREADS_MAX];
};

static void push(struct queue *q, struct job *job, bool front)
{
    job->next = front ? q->first : NULL;
    if (q->first == NULL || front)
        q->first = job;
    else
        q->last->next = job;
    if (job->next == NULL)
        q->last = job;
    q->count++;
}

static struct job *pop(struct queue *q)
{
    struct job *job = q->first;

    if (job != NULL) {
        q->first = job->next;
        q->count--;
    }
    return job;
}

static void init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attr);
    pthread_condattr_destroy(&attr);
}

int workers_new(unsigned most, struct workers **out, struct err *e)
{
    struct workers *w = calloc(1, sizeof(*w));

    if (w == NULL)
        return err_nomem(e);
    w->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->event < 0) {
        free(w);
        return err_sys(e, E_NOMEM, errno, "no descriptor for the workers");
    }
    pthread_mutex_init(&w->lock, NULL);
    workers_set_most(w, most);
    init_condition(&w->quiet);
    *out = w;
    return 0;
}

static struct timespec at(int64_t mono_ms)
{
    return (struct timespec){ .tv_sec = mono_ms / 1000, .tv_nsec = mono_ms % 1000 * 1000000 };
}

/* Under the lock. Sleeps until there is a job for it, or too long; true: for good. */
static bool sleep_idle(struct workers *w, struct thread *self)
{
    struct timespec until = at(clock_mono_ms() + LINGER_MS);
    struct thread **link = &w->idle;
    int rc = 0;

    self->woken = false;
    self->next = w->idle;
    w->idle = self;
    w->sleeping++;
    while (!self->woken && !w->stop && rc == 0)
        rc = pthread_cond_timedwait(&self->wake, &w->lock, &until);
    if (self->woken)
        return false;
    while (*link != self)
        link = &(*link)->next;
    *link = self->next;
    w->sleeping--;
    return true;
}

/* Under the lock. */
static void wake_one(struct workers *w)
{
    struct thread *thread = w->idle;

    w->idle = thread->next;
    w->sleeping--;
    thread->woken = true;
    pthread_cond_signal(&thread->wake);
}

static size_t ready_jobs(const struct workers *w)
{
    size_t room = w->most > w->running_long ? w->most - w->running_long : 0;

    return w->short_jobs.count + size_min(w->long_jobs.count, room);
}

static struct job *next_job(struct workers *w)
{
    struct job *job = pop(&w->short_jobs);

    if (job == NULL && !w->stop && w->running_long < w->most)
        job = pop(&w->long_jobs);
    return job;
}

static void run_one(struct workers *w, struct job *job)
{
    uint64_t one = 1;

    w->running++;
    w->running_long += job->is_long;
    atomic_store(&job->started, true);
    pthread_mutex_unlock(&w->lock);
    job->run(job);
    pthread_mutex_lock(&w->lock);
    w->running--;
    w->running_long -= job->is_long;
    push(&w->done, job, false);
    /* The counter cannot overflow, and nothing else can go wrong with it. */
    if (write(w->event, &one, sizeof(one)) < 0)
        log_debug("the supervisor could not be told");
}

struct start {
    struct workers *w;
    struct thread *slot;
};

static void *work(void *arg)
{
    struct start start = *(struct start *)arg;
    struct workers *w = start.w;
    bool late = false;

    free(arg);
    pthread_mutex_lock(&w->lock);
    while (!late) {
        struct job *job = next_job(w);

        if (job != NULL)
            run_one(w, job);
        else
            late = w->stop || sleep_idle(w, start.slot);
    }
    w->threads--;
    w->ended++;
    start.slot->ended = true;
    pthread_cond_broadcast(&w->quiet);
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static void join_ended(struct workers *w)
{
    for (size_t i = 0; i < THREADS_MAX && w->ended > 0; i++) {
        if (!w->slots[i].ended)
            continue;
        w->ended--;
        pthread_join(w->slots[i].id, NULL);
        pthread_cond_destroy(&w->slots[i].wake);
        w->slots[i] = (struct thread){ 0 };
    }
}

/* Under the lock. A thread that cannot be had now may be had later: those that are there go on. */
static void start_thread(struct workers *w)
{
    struct start *start = malloc(sizeof(*start));
    pthread_attr_t attr;
    size_t i = 0;

    join_ended(w);
    while (i < THREADS_MAX && w->slots[i].used)
        i++;
    if (start == NULL || i == THREADS_MAX)
        goto out;
    *start = (struct start){ .w = w, .slot = &w->slots[i] };
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK);
    init_condition(&w->slots[i].wake);
    if (pthread_create(&w->slots[i].id, &attr, work, start) == 0) {
        w->slots[i].used = true;
        w->threads++;
        start = NULL;
    } else {
        pthread_cond_destroy(&w->slots[i].wake);
    }
    pthread_attr_destroy(&attr);
out:
    free(start);
}

/* Under the lock. One thread more, if those that are on their way to the queue are not enough. */
static void serve(struct workers *w)
{
    if (w->stop || ready_jobs(w) <= w->threads - w->running - w->sleeping)
        return;
    if (w->idle != NULL)
        wake_one(w);
    else if (w->threads < w->most + SHORT_EXTRA)
        start_thread(w);
}

void workers_set_most(struct workers *w, unsigned most)
{
    pthread_mutex_lock(&w->lock);
    w->most = most < THREADS_MAX - SHORT_EXTRA ? most : THREADS_MAX - SHORT_EXTRA;
    pthread_mutex_unlock(&w->lock);
}

int workers_fd(const struct workers *w)
{
    return w->event;
}

void workers_put(struct workers *w, struct job *job, bool front)
{
    pthread_mutex_lock(&w->lock);
    atomic_store(&job->started, false);
    push(job->is_long ? &w->long_jobs : &w->short_jobs, job, front);
    serve(w);
    pthread_mutex_unlock(&w->lock);
}

static bool take_out(struct queue *q, struct job *job)
{
    struct job **at = &q->first, *before = NULL;

    for (; *at != NULL && *at != job; at = &before->next)
        before = *at;
    if (*at == NULL)
        return false;
    *at = job->next;
    if (q->last == job)
        q->last = before;
    q->count--;
    return true;
}

bool workers_take_back(struct workers *w, struct job *job)
{
    bool was_there;

    pthread_mutex_lock(&w->lock);
    was_there = take_out(job->is_long ? &w->long_jobs : &w->short_jobs, job);
    pthread_mutex_unlock(&w->lock);
    return was_there;
}

struct job *workers_done(struct workers *w)
{
    struct job *job;
    uint64_t count;

    pthread_mutex_lock(&w->lock);
    job = pop(&w->done);
    if (job == NULL && read(w->event, &count, sizeof(count)) < 0 && errno != EAGAIN)
        log_debug("the workers' descriptor cannot be read");
    serve(w);
    pthread_mutex_unlock(&w->lock);
    return job;
}

void workers_kick(struct workers *w)
{
    pthread_mutex_lock(&w->lock);
    serve(w);
    join_ended(w);
    pthread_mutex_unlock(&w->lock);
}

size_t workers_busy(const struct workers *cw)
{
    struct workers *w = (struct workers *)(uintptr_t)cw;
    size_t n;

    pthread_mutex_lock(&w->lock);
    n = w->running;
    pthread_mutex_unlock(&w->lock);
    return n;
}

size_t workers_stop(struct workers *w, int64_t until_ms)
{
    struct timespec until = at(until_ms);
    size_t left;

    pthread_mutex_lock(&w->lock);
    w->stop = true;
    w->long_jobs = (struct queue){ 0 };
    for (struct thread *thread = w->idle; thread != NULL; thread = thread->next)
        pthread_cond_signal(&thread->wake);
    while (w->threads > 0 && pthread_cond_timedwait(&w->quiet, &w->lock, &until) == 0)
        ;
    left = w->threads;
    join_ended(w);
    pthread_mutex_unlock(&w->lock);
    return left;
}

void workers_free(struct workers **wp)
{
    struct workers *w = *wp;

    if (w == NULL)
        return;
    io_close(&w->event);
    pthread_cond_destroy(&w->quiet);
    pthread_mutex_destroy(&w->lock);
    free(w);
    *wp = NULL;
}
