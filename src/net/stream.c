/* SPDX-License-Identifier: MIT */
#include "net/stream.h"

#include <assert.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"
#include "net/stream_int.h"

enum {
    /* A stream that has waited this long with nothing unread gives its read buffer back. */
    REST_MS = 1000,
    /* Unread bytes move to the front of the buffer only when less than this is free behind them. */
    TAIL_MIN = STREAM_READ / 4,
    /* The least rate of an exchange, bytes a second (CONTRACT section 2). */
    RATE_MIN = 500,
    /* An exchange as a whole may take this many times the timeout, besides what its bytes earn. */
    WHOLE_FACTOR = 5,
    TRACE_MAX = 600,
    /* See stream_expect(): so much at once, as long as so much more is expected, for so long, and no longer tried after
     * so many times in vain (a slow line, sizes that lie). */
    BULK_LOWAT = STREAM_READ / 4 * 3,
    BULK_EXPECTED = STREAM_READ * 2,
    BULK_MS = 20,
    BULK_MISSES = 3,
};

int stream_create(struct layer *bottom, const char *name, int64_t timeout_ms, struct stream **out, struct err *e)
{
    struct stream *s = calloc(1, sizeof(*s));

    if (s == NULL) {
        bottom->ops->close(bottom);
        return err_nomem(e);
    }
    s->top = s->bottom = bottom;
    log_printable(s->name, sizeof(s->name), slice_str(name));
    buf_init(&s->out, STREAM_WRITE);
    buf_init(&s->traced, TRACE_MAX);
    s->timeout_ms = timeout_ms;
    stream_exchange(s, 1);
    *out = s;
    return 0;
}

int stream_memory(struct slice input, size_t chunk, struct buf *sent, struct stream **out, struct err *e)
{
    struct layer *l;

    if (memory_layer(input, chunk, sent, &l, e) != 0)
        return -1;
    return stream_create(l, "memory", 1000, out, e);
}

static void close_layers(struct layer *l)
{
    while (l != NULL) {
        struct layer *below = l->below;
        l->ops->close(l);
        l = below;
    }
}

void stream_close(struct stream **sp)
{
    struct stream *s = *sp;

    if (s == NULL)
        return;
    close_layers(s->top);
    buf_wipe(&s->out);
    buf_release(&s->out);
    buf_release(&s->traced);
    free(s->in);
    free(s);
    *sp = NULL;
    log_unhide();
}

/* Every error leaves by here: it is named, and kept for all later calls. */
static int broke(struct stream *s, struct err *e)
{
    if (s->name[0] != '\0' && e->code != E_STOPPED && e->code != E_NOMEM)
        err_ctx(e, "%s", s->name);
    s->broken = *e;
    return -1;
}

static bool is_broken(const struct stream *s, struct err *e)
{
    if (s->broken.code == E_NONE)
        return false;
    *e = s->broken;
    return true;
}

/* --- waiting --- */

void stream_exchange(struct stream *s, unsigned silence_factor)
{
    s->factor = silence_factor;
    s->patient = false;
    s->waited_ms = 0;
    s->mark = s->bottom->bytes_in + s->bottom->bytes_out;
}

void stream_patient(struct stream *s)
{
    s->patient = true;
}

static int too_slow(const struct stream *s, bool silent, uint64_t moved, struct err *e)
{
    if (silent)
        return err_set(e, E_TIMEOUT, "no answer for %" PRId64 " seconds", s->timeout_ms * s->factor / 1000);
    return err_set(e, E_TIMEOUT, "too slow: %" PRIu64 " bytes in %" PRId64 " seconds", moved, s->waited_ms / 1000);
}

void stream_expect(struct stream *s, uint64_t octets)
{
    s->expected = octets == 0 || s->expected > UINT64_MAX - octets ? octets : s->expected + octets;
}

static void set_lowat(struct stream *s, bool bulk)
{
    int lowat = bulk ? BULK_LOWAT : 1;

    if (s->lowat == lowat || (s->lowat == 0 && !bulk))
        return;
    /* The pipes of a tunnel know nothing of it. */
    if (setsockopt(s->bottom->fd, SOL_SOCKET, SO_RCVLOWAT, &lowat, sizeof(lowat)) != 0)
        s->bulk_misses = BULK_MISSES;
    s->lowat = lowat;
}

/* A read buffer with nothing in it is given back. */
static void rest(struct stream *s)
{
    if (s->in_start < s->in_end)
        return;
    free(s->in);
    s->in = NULL;
    s->in_start = s->in_end = s->in_cap = 0;
}

/* The wish to stop is there, and is not heeded yet. */
static bool waits_on(const struct stream *s)
{
    return s->patient && stop_requested() != 0 && stop_grace_ms() > 0;
}

/* Waits for one of `events`; says in *ready_out which came. */
static int wait_for(struct stream *s, short events, short *ready_out, struct err *e)
{
    struct pollfd fds[2] = { { .fd = s->bottom->fd, .events = events }, { .events = POLLIN } };
    uint64_t moved = s->bottom->bytes_in + s->bottom->bytes_out - s->mark;
    int64_t silence = s->timeout_ms * s->factor;
    int64_t whole = s->timeout_ms * (s->factor > WHOLE_FACTOR ? s->factor : WHOLE_FACTOR) +
                    (int64_t)(moved * (1000 / RATE_MIN)) - s->waited_ms;
    int64_t limit = silence < whole ? silence : whole;
    int64_t start = clock_mono_ms(), gone = 0;
    bool bulk = events == POLLIN && s->expected >= BULK_EXPECTED && s->bulk_misses < BULK_MISSES;
    int n = 0;

    while (n <= 0 && gone < limit) {
        int64_t nap = limit - gone;

        set_lowat(s, bulk);
        if (bulk && nap > BULK_MS)
            nap = BULK_MS;
        if (s->in != NULL && s->in_start == s->in_end && nap > REST_MS)
            nap = REST_MS;
        fds[1].fd = stop_fd();
        if (waits_on(s)) {
            fds[1].fd = -1;
            nap = nap < stop_grace_ms() ? nap : stop_grace_ms();
        }
        n = poll(fds, ARRAY_LEN(fds), (int)(nap < INT32_MAX ? nap : INT32_MAX));
        if (n < 0 && errno != EINTR)
            return err_sys(e, E_NET, errno, "waiting failed");
        if (n > 0 && fds[1].revents != 0 && waits_on(s)) {
            fds[1].revents = 0;
            n--;
        }
        gone = clock_mono_ms() - start;
        s->bulk_misses += n == 0 && bulk;
        if (n == 0 && !bulk)
            rest(s);
        bulk = false;
    }
    s->waited_ms += gone;
    if (n > 0 && fds[1].revents != 0)
        return err_set(e, E_STOPPED, "stopped");
    if (n <= 0)
        return too_slow(s, silence <= whole, moved, e);
    *ready_out = fds[0].revents;
    return 0;
}

/* --- reading --- */

/* Room behind the unread bytes, `in` allocated. */
static int make_room(struct stream *s, struct err *e)
{
    size_t unread = s->in_end - s->in_start, cap;
    char *p;

    if (unread == 0) {
        s->in_start = s->in_end = 0;
        if (s->in_cap > STREAM_READ) {
            free(s->in);
            s->in = NULL;
            s->in_cap = 0;
        }
    }
    if (s->in_start > 0 && s->in_cap - s->in_end < TAIL_MIN) {
        memmove(s->in, s->in + s->in_start, unread);
        s->in_start = 0;
        s->in_end = unread;
    }
    if (s->in_end < s->in_cap)
        return 0;
    if (s->in_cap >= STREAM_READ_MAX)
        return err_set(e, E_PROTO, "the server sent %d bytes that nobody asked for", STREAM_READ_MAX);
    cap = s->in_cap == 0 ? STREAM_READ : s->in_cap * 2;
    p = realloc(s->in, cap);
    if (p == NULL)
        return err_nomem(e);
    s->in = p;
    s->in_cap = cap;
    return 0;
}

/* One read, without waiting. */
static enum layer_result take_in(struct stream *s, struct err *e)
{
    enum layer_result r;
    size_t got = 0;

    if (s->ended)
        return LAYER_END;
    if (make_room(s, e) != 0)
        return LAYER_FAILED;
    r = s->top->ops->read(s->top, s->in + s->in_end, s->in_cap - s->in_end, &got, e);
    if (r == LAYER_OK)
        s->in_end += got;
    if (r == LAYER_END)
        s->ended = true;
    return r;
}

int stream_fill(struct stream *s, struct err *e)
{
    short ready;

    if (is_broken(s, e))
        return -1;
    for (;;) {
        enum layer_result r = take_in(s, e);

        if (r == LAYER_OK)
            return 0;
        if (r == LAYER_END)
            err_set(e, E_NET, "the server closed the connection");
        if (r == LAYER_END || r == LAYER_FAILED ||
            wait_for(s, r == LAYER_WANT_WRITE ? POLLOUT : POLLIN, &ready, e) != 0)
            return broke(s, e);
    }
}

int stream_try_fill(struct stream *s, bool *got_out, struct err *e)
{
    enum layer_result r;

    *got_out = false;
    if (is_broken(s, e))
        return -1;
    r = take_in(s, e);
    if (r == LAYER_END)
        err_set(e, E_NET, "the server closed the connection");
    if (r == LAYER_END || r == LAYER_FAILED)
        return broke(s, e);
    *got_out = r == LAYER_OK;
    return 0;
}

struct slice stream_peek(const struct stream *s)
{
    return s->in != NULL ? slice_make(s->in + s->in_start, s->in_end - s->in_start) : SLICE_NONE;
}

void stream_consume(struct stream *s, size_t n)
{
    assert(n <= s->in_end - s->in_start);
    s->in_start += n;
    s->expected -= n < s->expected ? n : s->expected;
    s->scanned = s->scanned > n ? s->scanned - n : 0;
}

int stream_line(struct stream *s, size_t max, struct slice *line_out, struct err *e)
{
    for (;;) {
        struct slice unread = stream_peek(s);
        const char *lf = unread.n > s->scanned ? memchr(unread.p + s->scanned, '\n', unread.n - s->scanned) : NULL;
        size_t n = lf != NULL ? (size_t)(lf - unread.p) : unread.n;

        if (lf != NULL && n > 0 && lf[-1] == '\r')
            n--;
        /* One byte more may yet turn out to be the CR of the line's end. */
        if (n > max && (lf != NULL || n > max + 1)) {
            if (is_broken(s, e))
                return -1;
            err_set(e, E_PROTO, "the server sent a line of more than %zu bytes", max);
            return broke(s, e);
        }
        if (lf != NULL) {
            *line_out = slice_make(unread.p, n);
            stream_consume(s, (size_t)(lf - unread.p) + 1);
            if (log_wants(LOG_LEVEL_TRACE))
                stream_trace(s, 'S', *line_out);
            return 0;
        }
        s->scanned = unread.n;
        if (stream_fill(s, e) != 0)
            return -1;
    }
}

/* --- writing --- */

/* Until a write can go on; what the peer sends meanwhile is taken in, so that neither side waits for the other for
 * ever. */
static int wait_to_write(struct stream *s, enum layer_result r, struct err *e)
{
    short events = (short)((r == LAYER_WANT_WRITE ? POLLOUT : 0) | (s->ended ? 0 : POLLIN)), ready;

    if (r == LAYER_FAILED || wait_for(s, events, &ready, e) != 0)
        return -1;
    if ((ready & POLLIN) && take_in(s, e) == LAYER_FAILED)
        return -1;
    return 0;
}

/* Only what is there already. */
static void take_last_words(struct stream *s)
{
    struct err ignored;

    while (take_in(s, &ignored) == LAYER_OK)
        ;
}

static int send_collected(struct stream *s, struct err *e)
{
    size_t at = 0, done;

    while (at < s->out.len) {
        enum layer_result r = s->top->ops->write(s->top, s->out.p + at, s->out.len - at, &done, e);

        if (r == LAYER_OK) {
            at += done;
        } else if (wait_to_write(s, r, e) != 0) {
            if (r == LAYER_FAILED)
                take_last_words(s);
            return broke(s, e);
        }
    }
    if (s->out_secret)
        buf_wipe(&s->out);
    buf_clear(&s->out);
    s->out_secret = false;
    return 0;
}

static void collect(struct stream *s, struct slice bytes, bool secret)
{
    struct err e;

    while (bytes.n > 0 && s->broken.code == E_NONE) {
        size_t n = size_min(bytes.n, STREAM_WRITE - s->out.len);

        if (n == 0) {
            if (send_collected(s, &e) != 0)
                return;
            continue;
        }
        /* Whole from the start: a buffer that grew would leave copies of secrets behind. */
        if (buf_reserve(&s->out, STREAM_WRITE - s->out.len) != 0 || buf_put(&s->out, bytes.p, n) != 0) {
            err_nomem(&e);
            broke(s, &e);
            return;
        }
        s->out_secret = s->out_secret || secret;
        bytes = slice_from(bytes, n);
    }
}

/* Collects our lines for the log; what does not fit is left out there. */
static void trace_put(struct stream *s, struct slice bytes)
{
    while (bytes.n > 0) {
        const char *lf = memchr(bytes.p, '\n', bytes.n);
        size_t n = lf != NULL ? (size_t)(lf - bytes.p) + 1 : bytes.n;

        if (buf_put(&s->traced, bytes.p, size_min(n, s->traced.max - s->traced.len)) != 0)
            return;
        if (lf != NULL) {
            stream_trace(s, 'C', slice_trim(buf_slice(&s->traced)));
            buf_clear(&s->traced);
        }
        bytes = slice_from(bytes, n);
    }
}

void stream_put(struct stream *s, struct slice bytes)
{
    if (log_wants(LOG_LEVEL_TRACE))
        trace_put(s, bytes);
    collect(s, bytes, false);
}

void stream_put_secret(struct stream *s, struct slice bytes)
{
    /* Not even how long it is. */
    if (log_wants(LOG_LEVEL_TRACE))
        trace_put(s, SLICE("********"));
    log_hide(bytes);
    collect(s, bytes, true);
}

void stream_put_body(struct stream *s, struct slice bytes)
{
    collect(s, bytes, false);
}

void stream_putf(struct stream *s, const char *fmt, ...)
{
    struct buf text = BUF_INIT(STREAM_READ_MAX);
    struct err e;
    va_list ap;
    int rc;

    va_start(ap, fmt);
    rc = buf_vputf(&text, fmt, ap);
    va_end(ap);
    if (rc == 0) {
        stream_put(s, buf_slice(&text));
    } else if (s->broken.code == E_NONE) {
        err_nomem(&e);
        broke(s, &e);
    }
    buf_release(&text);
}

int stream_flush(struct stream *s, struct err *e)
{
    enum layer_result r = LAYER_OK;

    if (is_broken(s, e))
        return -1;
    if (send_collected(s, e) != 0)
        return -1;
    while (s->top->ops->flush != NULL && (r = s->top->ops->flush(s->top, e)) != LAYER_OK) {
        if (wait_to_write(s, r, e) != 0)
            return broke(s, e);
    }
    return 0;
}

void stream_trace(const struct stream *s, char direction, struct slice line)
{
    char text[TRACE_MAX];

    (void)s;
    log_words(text, sizeof(text), line);
    log_trace("%c: %s", direction, text);
}

/* --- layers --- */

static int shake_hands(struct stream *s, struct layer *tls, struct err *e)
{
    enum layer_result r;
    short ready;

    stream_exchange(s, 1);
    while ((r = tls_handshake(tls, e)) != LAYER_OK) {
        if (r == LAYER_FAILED)
            return -1;
        if (wait_for(s, r == LAYER_WANT_WRITE ? POLLOUT : POLLIN, &ready, e) != 0)
            return err_ctx(e, "in the TLS handshake");
    }
    stream_exchange(s, 1);
    return 0;
}

int stream_push_tls(struct stream *s, const struct tls_settings *settings, struct err *e)
{
    struct layer *l;

    if (is_broken(s, e))
        return -1;
    assert(s->out.len == 0 && s->tls == NULL);
    if (s->in_end > s->in_start) {
        err_set(e, E_TLS, "bytes came ahead of the TLS handshake: somebody may be tampering with the connection");
        return broke(s, e);
    }
    if (tls_layer(s->top, settings, &l, e) != 0)
        return broke(s, e);
    if (shake_hands(s, l, e) != 0) {
        l->ops->close(l);
        return broke(s, e);
    }
    s->top = s->tls = l;
    return 0;
}

int stream_push_deflate(struct stream *s, struct err *e)
{
    struct layer *l;

    if (is_broken(s, e))
        return -1;
    assert(s->out.len == 0);
    if (deflate_layer(s->top, stream_peek(s), &l, e) != 0)
        return broke(s, e);
    stream_consume(s, s->in_end - s->in_start);
    s->top = l;
    /* What is expected is not what comes over the wire. */
    s->bulk_misses = BULK_MISSES;
    return 0;
}

void stream_tls_binding(const struct stream *s, struct tls_binding *out)
{
    *out = (struct tls_binding){ .type = TLS_BINDING_NONE };
    if (s->tls != NULL)
        tls_layer_binding(s->tls, out);
}

const struct tls_facts *stream_tls(const struct stream *s)
{
    return s->tls != NULL ? tls_layer_facts(s->tls) : NULL;
}

int stream_fd(const struct stream *s)
{
    return s->bottom->fd;
}

void stream_park(struct stream *s)
{
    rest(s);
    log_unhide();
    /* Whoever watches the descriptor is to be woken by the first byte. */
    s->expected = 0;
    set_lowat(s, false);
    if (s->out.len == 0)
        buf_release(&s->out);
    if (s->traced.len == 0)
        buf_release(&s->traced);
}

bool stream_quiet(struct stream *s)
{
    enum layer_result r;
    struct err e;

    if (s->broken.code != E_NONE || s->in_end > s->in_start)
        return false;
    r = take_in(s, &e);
    if (r == LAYER_FAILED)
        broke(s, &e);
    return r == LAYER_WANT_READ || r == LAYER_WANT_WRITE;
}

bool stream_local_address(const struct stream *s, char *out, size_t size)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof(address);
    char *zone;

    if (getsockname(s->bottom->fd, (struct sockaddr *)&address, &length) != 0 ||
        (address.ss_family != AF_INET && address.ss_family != AF_INET6) ||
        getnameinfo((struct sockaddr *)&address, length, out, (socklen_t)size, NULL, 0, NI_NUMERICHOST) != 0)
        return false;
    zone = strchr(out, '%');
    if (zone != NULL)
        *zone = '\0';
    return true;
}

uint64_t stream_bytes_in(const struct stream *s)
{
    return s->bottom->bytes_in;
}

uint64_t stream_bytes_out(const struct stream *s)
{
    return s->bottom->bytes_out;
}
