/* SPDX-License-Identifier: MIT */
#include "run/progress.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "run/report.h"

enum { DRAW_MS = 200, LINES_MAX = 64, SCREEN_MAX = 32 * 1024, NAME_COLUMNS = 14 };

static struct {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool running, quit;
    struct progress_line *lines;
    size_t count;
    unsigned drawn; /* lines on the screen now; under the log's lock */
} state = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void put(struct buf *b)
{
    /* A terminal that is gone has nobody who looks. */
    if (io_write_all(STDERR_FILENO, b->p, b->len) != 0)
        state.lines = NULL;
}

/* Under the log's lock. */
static void wipe(void)
{
    struct buf b = BUF_INIT(SCREEN_MAX);

    if (state.drawn > 0 && buf_putf(&b, "\r\033[%uA\033[J", state.drawn) == 0)
        put(&b);
    state.drawn = 0;
    buf_release(&b);
}

static void left(uint64_t done, uint64_t all, int64_t took_ms, char *out, size_t size)
{
    uint64_t seconds;

    out[0] = '\0';
    if (done == 0 || all <= done || took_ms < 1000)
        return;
    seconds = (all - done) * (uint64_t)took_ms / done / 1000;
    snprintf(out, size, ", %" PRIu64 ":%02" PRIu64 " left", seconds / 60, seconds % 60);
}

static int put_fetching(struct buf *b, const struct progress_line *line)
{
    const struct haul_progress *c = line->counters;
    uint64_t bytes = atomic_load(&c->bytes), wanted = atomic_load(&c->wanted_bytes);
    int64_t took = clock_mono_ms() - line->began_ms;
    char size[32], rate[32], rest[32];

    report_size(bytes, size, sizeof(size));
    report_size(took > 0 ? bytes * 1000 / (uint64_t)took : 0, rate, sizeof(rate));
    left(bytes, wanted, took, rest, sizeof(rest));
    return buf_putf(b, "%" PRIu64 " of %" PRIu64 " messages, %s, %s/s%s", atomic_load(&c->messages),
                    atomic_load(&c->wanted_messages), size, rate, rest);
}

static int put_line(struct buf *b, const struct progress_line *line)
{
    static const char *const words[] = {
        [HAUL_WAITING] = "starting", [HAUL_CONNECTING] = "connecting", [HAUL_LISTING] = "looking",
        [HAUL_FETCHING] = "",        [HAUL_REMOVING] = "removing",     [HAUL_FINISHED] = "finishing"
    };
    int phase = atomic_load(&line->counters->phase);
    char name[64];

    log_printable(name, sizeof(name), slice_str(line->account));
    if (buf_putf(b, "\033[2K%-*s ", NAME_COLUMNS, name) != 0)
        return -1;
    if (phase == HAUL_FETCHING ? put_fetching(b, line) : buf_put_str(b, words[phase]))
        return -1;
    return buf_put_str(b, "\n");
}

/* Under the log's lock. */
static void draw(void)
{
    struct buf b = BUF_INIT(SCREEN_MAX);
    struct winsize size = { 0 };
    unsigned rows = 0, most = LINES_MAX;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 2)
        most = size.ws_row - 1u < LINES_MAX ? size.ws_row - 1u : LINES_MAX;
    if (state.drawn > 0 && buf_putf(&b, "\r\033[%uA", state.drawn) != 0)
        goto out;
    for (size_t i = 0; i < state.count && state.lines != NULL && rows < most; i++) {
        if (!atomic_load(&state.lines[i].active))
            continue;
        if (put_line(&b, &state.lines[i]) != 0)
            break;
        rows++;
    }
    if (rows < state.drawn && buf_put_str(&b, "\033[J") != 0)
        goto out;
    put(&b);
    state.drawn = rows;
out:
    buf_release(&b);
}

static void nothing(void)
{
}

static void *draw_loop(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&state.lock);
    while (!state.quit) {
        struct timespec until;

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += DRAW_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&state.changed, &state.lock, &until);
        if (!state.quit)
            log_locked(draw);
    }
    pthread_mutex_unlock(&state.lock);
    log_locked(wipe);
    return NULL;
}

void progress_start(struct progress_line *lines, size_t count)
{
    pthread_condattr_t attr;

    state.lines = lines;
    state.count = count;
    state.quit = false;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&state.changed, &attr);
    pthread_condattr_destroy(&attr);
    log_around(wipe, nothing);
    state.running = pthread_create(&state.thread, NULL, draw_loop, NULL) == 0;
}

void progress_stop(void)
{
    if (!state.running)
        return;
    pthread_mutex_lock(&state.lock);
    state.quit = true;
    pthread_cond_broadcast(&state.changed);
    pthread_mutex_unlock(&state.lock);
    pthread_join(state.thread, NULL);
    log_around(NULL, NULL);
    state.running = false;
}
