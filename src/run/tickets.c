/* SPDX-License-Identifier: MIT */
#include "run/tickets.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "base/num.h"
#include "wire/base64.h"

enum {
    EACH_KEY_MAX = 4,
    /* Settings that were changed leave theirs behind until they are a day old. */
    TICKETS_MAX = 16,
    AGE_MAX = 24 * 60 * 60,
    LINE_MAX_BYTES = TLS_SESSION_MAX / 3 * 4 + 128,
    FILE_MAX = TICKETS_MAX * LINE_MAX_BYTES,
    PATH_MAX_BYTES = 4096,
};

struct ticket {
    struct slice key, time, session;
};

struct store {
    int dir;
    char path[PATH_MAX_BYTES];
    const char *name; /* in `path` */
    struct buf text;
    struct ticket v[TICKETS_MAX]; /* into `text` */
    size_t count;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct slice take_word(struct slice *rest, char end)
{
    const char *at = memchr(rest->p, end, rest->n);
    size_t n = at != NULL ? (size_t)(at - rest->p) : rest->n;
    struct slice word = slice_make(rest->p, n);

    *rest = slice_from(*rest, at != NULL ? n + 1 : n);
    return word;
}

static bool is_recent(struct slice time)
{
    int64_t now = clock_wall();
    uint64_t when;

    return num_parse_u64(time, &when) == 0 && when <= (uint64_t)now && (uint64_t)now - when < AGE_MAX;
}

static void add(struct store *st, struct ticket t)
{
    if (st->count == TICKETS_MAX)
        memmove(&st->v[0], &st->v[1], --st->count * sizeof(st->v[0]));
    st->v[st->count++] = t;
}

static void drop(struct store *st, size_t i)
{
    st->count--;
    memmove(&st->v[i], &st->v[i + 1], (st->count - i) * sizeof(st->v[0]));
}

static int open_store(struct store *st, const struct conf_login *login)
{
    struct slice rest;
    struct stat about;
    char *slash;
    int fd;

    *st = (struct store){ .dir = -1, .text = BUF_INIT(FILE_MAX) };
    if (snprintf(st->path, sizeof(st->path), "%s.tls", login->state) >= (int)sizeof(st->path) ||
        (slash = strrchr(st->path, '/')) == NULL)
        return -1;
    *slash = '\0';
    st->name = slash + 1;
    st->dir = open(st->path[0] != '\0' ? st->path : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (st->dir < 0)
        return -1;
    fd = openat(st->dir, st->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return 0;
    /* What others could have written is no session of ours. */
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode) || about.st_uid != geteuid() ||
        (about.st_mode & (S_IRWXG | S_IRWXO)) != 0 || io_read_all(fd, &st->text) != 0)
        buf_clear(&st->text);
    io_close(&fd);
    rest = buf_slice(&st->text);
    while (rest.n > 0) {
        struct slice line = take_word(&rest, '\n');
        struct ticket t = { .key = take_word(&line, ' '), .time = take_word(&line, ' '), .session = line };

        if (t.session.n > 0 && is_recent(t.time))
            add(st, t);
    }
    return 0;
}

static void save_store(const struct store *st)
{
    struct buf text = BUF_INIT(FILE_MAX);
    int rc = 0;

    for (size_t i = 0; i < st->count && rc == 0; i++) {
        const struct ticket *t = &st->v[i];

        rc = buf_put_slice(&text, t->key) != 0 || buf_put_char(&text, ' ') != 0 || buf_put_slice(&text, t->time) != 0 ||
             buf_put_char(&text, ' ') != 0 || buf_put_slice(&text, t->session) != 0 || buf_put_char(&text, '\n') != 0;
    }
    if (rc != 0 || io_replace_file(st->dir, st->name, buf_slice(&text), false) != 0)
        log_debug("the TLS session could not be kept for the next connection in %s/%s", st->path, st->name);
    buf_wipe(&text);
    buf_release(&text);
}

static void close_store(struct store *st)
{
    io_close(&st->dir);
    buf_wipe(&st->text);
    buf_release(&st->text);
}

static bool take(void *ctx, const char *key, struct buf *out)
{
    struct store st;
    bool found = false;

    pthread_mutex_lock(&lock);
    if (open_store(&st, ctx) == 0) {
        for (size_t i = st.count; i-- > 0 && !found;) {
            if (!slice_eq(st.v[i].key, slice_str(key)))
                continue;
            found = base64_decode(st.v[i].session, out) == 0;
            drop(&st, i);
            save_store(&st);
        }
    }
    close_store(&st);
    pthread_mutex_unlock(&lock);
    return found;
}

static void keep(void *ctx, const char *key, struct slice session)
{
    struct buf encoded = BUF_INIT(LINE_MAX_BYTES), now = BUF_INIT(32);
    struct slice name = slice_str(key);
    struct store st;
    size_t same = 0;

    pthread_mutex_lock(&lock);
    if (open_store(&st, ctx) == 0 && base64_encode(session, &encoded) == 0 &&
        buf_putf(&now, "%lld", (long long)clock_wall()) == 0) {
        for (size_t i = st.count; i-- > 0;) {
            if (slice_eq(st.v[i].key, name) && ++same >= EACH_KEY_MAX)
                drop(&st, i);
        }
        add(&st, (struct ticket){ .key = name, .time = buf_slice(&now), .session = buf_slice(&encoded) });
        save_store(&st);
    }
    close_store(&st);
    pthread_mutex_unlock(&lock);
    buf_wipe(&encoded);
    buf_release(&encoded);
    buf_release(&now);
}

void tickets_use(struct server *s, const struct conf_login *login)
{
    static const struct tls_tickets in_state = { .take = take, .keep = keep };

    if (s->tls == SERVER_PLAINTEXT || login->state == NULL)
        return;
    s->tls_settings.tickets = &in_state;
    s->tls_settings.tickets_ctx = (void *)(uintptr_t)login;
}
