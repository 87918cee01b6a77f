/* SPDX-License-Identifier: MIT
 * Streams on sockets: the times that a peer may take, writing against a flood, and the wish to stop.
 */
#include "peer.h"

#include <netinet/in.h>
#include <poll.h>

#include "base/clock.h"
#include "base/stop.h"

enum { FLOOD = 600 * 1000, COMMANDS = 2 * 1000 * 1000 };

static void silent(struct peer *p)
{
    peer_wait_for_end(p);
}

static void silence_ends(void **state)
{
    struct peer p;
    struct stream *s = peer_start(&p, silent, NULL, 60);
    int64_t start = clock_mono_ms(), took;
    struct err e;

    (void)state;
    CHECK_INT(stream_fill(s, &e), -1);
    took = clock_mono_ms() - start;
    CHECK_INT(e.code, E_TIMEOUT);
    CHECK(took >= 60 && took < 2000);
    stream_close(&s);
    peer_join(&p);

    s = peer_start(&p, silent, NULL, 30);
    start = clock_mono_ms();
    stream_exchange(s, 10);
    CHECK_INT(stream_fill(s, &e), -1);
    CHECK_INT(e.code, E_TIMEOUT);
    CHECK(clock_mono_ms() - start >= 300);
    stream_close(&s);
    peer_join(&p);
}

/* A byte every few milliseconds, never the end of the line. */
static void drip(struct peer *p)
{
    while (peer_send(p, SLICE("x")))
        poll(NULL, 0, 5);
}

static void dripping_ends(void **state)
{
    struct peer p;
    struct stream *s = peer_start(&p, drip, NULL, 100);
    int64_t start = clock_mono_ms(), took;
    struct slice line;
    struct err e;

    (void)state;
    CHECK_INT(stream_line(s, 100000, &line, &e), -1);
    took = clock_mono_ms() - start;
    CHECK_INT(e.code, E_TIMEOUT);
    CHECK_HAS(e.text, "too slow");
    CHECK(took >= 500 && took < 5000);
    stream_close(&s);
    peer_join(&p);
}

/* Slowly, but with more than 500 bytes a second: that is a slow line, not an attack. */
static void trickle(struct peer *p)
{
    char piece[100];

    memset(piece, 'x', sizeof(piece));
    for (int i = 0; i < 140; i++) {
        peer_send(p, slice_make(piece, sizeof(piece)));
        poll(NULL, 0, 5);
    }
    peer_send(p, SLICE("\n"));
    peer_wait_for_end(p);
}

static void slow_but_steady_goes_on(void **state)
{
    struct peer p;
    struct stream *s = peer_start(&p, trickle, NULL, 100);
    struct slice line;
    struct err e;

    (void)state;
    CHECK_INT(stream_line(s, 100000, &line, &e), 0);
    CHECK_INT(line.n, 14000);
    stream_close(&s);
    peer_join(&p);
}

static void close_at_once(struct peer *p)
{
    peer_send(p, SLICE("* BYE\r\n"));
}

static void the_end_is_told_apart(void **state)
{
    struct peer p;
    struct stream *s = peer_start(&p, close_at_once, NULL, 5000);
    struct slice line;
    struct err e;

    (void)state;
    CHECK_INT(stream_line(s, 100, &line, &e), 0);
    CHECK_SLICE(line, SLICE("* BYE"));
    CHECK_INT(stream_line(s, 100, &line, &e), -1);
    CHECK_INT(e.code, E_NET);
    CHECK_INT(e.retry, RETRY_RECONNECT);
    CHECK_HAS(e.text, "peer: the server closed the connection");
    peer_join(&p);
    /* Writing to it ends in an error, not in SIGPIPE. */
    stream_close(&s);
    s = peer_start(&p, close_at_once, NULL, 5000);
    peer_join(&p);
    stream_put(s, SLICE("NOOP\r\n"));
    CHECK_INT(stream_flush(s, &e), -1);
    CHECK_INT(e.code, E_NET);
    stream_close(&s);
}

/* Sends all it has before it reads anything. */
static void flood(struct peer *p)
{
    const size_t *much = p->arg;
    char *text = malloc(*much);
    size_t seen = 0;
    ssize_t n;

    if (text == NULL)
        return;
    for (size_t i = 0; i < *much; i++)
        text[i] = (char)(i % 253);
    if (peer_send(p, slice_make(text, *much))) {
        while (seen < COMMANDS && (n = recv(p->fd, text, *much, 0)) > 0)
            seen += (size_t)n;
        peer_send(p, SLICE("!"));
    }
    p->seen_n = seen;
    free(text);
    peer_wait_for_end(p);
}

static void writing_never_wedges(void **state)
{
    static const size_t much = FLOOD;
    struct peer p;
    struct stream *s = peer_start(&p, flood, &much, 20000);
    char *commands = malloc(COMMANDS);
    struct err e;

    (void)state;
    assert_non_null(commands);
    memset(commands, 'c', COMMANDS);
    stream_put(s, slice_make(commands, COMMANDS));
    CHECK_INT(stream_flush(s, &e), 0);
    while (stream_peek(s).n < FLOOD + 1)
        CHECK_INT(stream_fill(s, &e), 0);
    for (size_t i = 0; i < FLOOD; i++) {
        if (stream_peek(s).p[i] != (char)(i % 253))
            fail_msg("wrong byte at %zu", i);
    }
    CHECK_INT(stream_peek(s).p[FLOOD], '!');
    stream_close(&s);
    peer_join(&p);
    CHECK_INT(p.seen_n, COMMANDS);
    free(commands);
}

static void a_flood_is_bounded(void **state)
{
    static const size_t much = 3 * STREAM_READ_MAX;
    struct peer p;
    struct stream *s = peer_start(&p, flood, &much, 20000);
    char *commands = calloc(1, COMMANDS);
    struct err e;

    (void)state;
    assert_non_null(commands);
    stream_put(s, slice_make(commands, COMMANDS));
    CHECK_INT(stream_flush(s, &e), -1);
    CHECK_INT(e.code, E_PROTO);
    CHECK_INT(stream_peek(s).n, STREAM_READ_MAX);
    stream_close(&s);
    peer_join(&p);
    free(commands);
}

static void hesitate(struct peer *p)
{
    peer_send(p, SLICE("first\r\n"));
    peer_take(p, 2);
    poll(NULL, 0, 1300);
    peer_send(p, SLICE("second\r\n"));
    peer_wait_for_end(p);
}

/* The read buffer is given back in a long silence, and there again afterwards. */
static void at_rest_little_is_held(void **state)
{
    struct peer p;
    struct stream *s = peer_start(&p, hesitate, NULL, 10000);
    struct slice line;
    struct err e;

    (void)state;
    CHECK_INT(stream_line(s, 100, &line, &e), 0);
    CHECK_INT(s->in_cap, STREAM_READ);
    stream_put(s, SLICE("go"));
    CHECK_INT(stream_flush(s, &e), 0);
    CHECK_INT(stream_line(s, 100, &line, &e), 0);
    CHECK_SLICE(line, SLICE("second"));
    s->timeout_ms = 1100;
    CHECK_INT(stream_fill(s, &e), -1);
    CHECK_INT(e.code, E_TIMEOUT);
    CHECK(s->in == NULL);
    CHECK_INT(stream_peek(s).n, 0);
    stream_close(&s);
    peer_join(&p);
}

static void ask_to_stop(struct peer *p)
{
    peer_take(p, 1);
    stop_request(SIGTERM);
    peer_wait_for_end(p);
}

static void answer_later(struct peer *p)
{
    peer_take(p, 1);
    stop_request(SIGTERM);
    poll(NULL, 0, 50);
    peer_send(p, SLICE("250 ok\r\n"));
    peer_wait_for_end(p);
}

/* The last tests: what was asked cannot be taken back. */
static void a_patient_wait_outlives_the_wish_to_stop(void **state)
{
    struct peer p;
    struct stream *s = peer_start(&p, answer_later, NULL, 60000);
    struct slice line;
    struct err e;

    (void)state;
    stream_put(s, SLICE("x"));
    CHECK_INT(stream_flush(s, &e), 0);
    stream_exchange(s, 10);
    stream_patient(s);
    CHECK_INT(stream_line(s, 100, &line, &e), 0);
    CHECK_SLICE(line, SLICE("250 ok"));
    clock_fake(clock_mono_ms() + STOP_GRACE_MS, clock_wall());
    CHECK_INT(stream_line(s, 100, &line, &e), -1);
    CHECK_INT(e.code, E_STOPPED);
    clock_real();
    stream_close(&s);
    peer_join(&p);
}

static void a_wish_to_stop_ends_a_wait(void **state)
{
    struct peer p;
    struct stream *s = peer_start(&p, ask_to_stop, NULL, 60000);
    struct err e;

    (void)state;
    stream_put(s, SLICE("x"));
    CHECK_INT(stream_flush(s, &e), 0);
    CHECK_INT(stream_fill(s, &e), -1);
    CHECK_INT(e.code, E_STOPPED);
    stream_close(&s);
    peer_join(&p);
}

/* Two ends of a TCP connection: only TCP heeds SO_RCVLOWAT in poll(). */
static struct stream *tcp_pair(int *server_out)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(at);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
        client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct layer *l;
    struct stream *s;
    struct err e;

    CHECK_INT(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
    CHECK_INT(listen(listener, 1), 0);
    CHECK_INT(getsockname(listener, (struct sockaddr *)&at, &length), 0);
    CHECK_INT(connect(client, (struct sockaddr *)&at, sizeof(at)), 0);
    *server_out = accept(listener, NULL, NULL);
    CHECK(*server_out >= 0);
    close(listener);
    CHECK_INT(socket_layer(client, 0, &l, &e), 0);
    CHECK_INT(stream_create(l, "", 5000, &s, &e), 0);
    return s;
}

enum { ROUNDS = 10 };

static void *answer_shortly(void *arg)
{
    char asked;

    while (read(*(int *)arg, &asked, 1) == 1 && write(*(int *)arg, "small", 5) == 5)
        ;
    return NULL;
}

static void an_estimate_too_high_holds_up_nothing(void **state)
{
    int64_t start = clock_mono_ms();
    pthread_t thread;
    int server;
    struct stream *s = tcp_pair(&server);
    struct err e;

    (void)state;
    CHECK_INT(pthread_create(&thread, NULL, answer_shortly, &server), 0);
    stream_expect(s, UINT64_C(1) << 40);
    for (int i = 0; i < ROUNDS; i++) {
        stream_put(s, SLICE("?"));
        CHECK_INT(stream_flush(s, &e), 0);
        CHECK_INT(stream_fill(s, &e), 0);
        CHECK_SLICE(stream_peek(s), SLICE("small"));
        stream_consume(s, 5);
    }
    CHECK_INT(s->expected, (UINT64_C(1) << 40) - ROUNDS * 5);
    CHECK(clock_mono_ms() - start < 4000);
    stream_close(&s);
    pthread_join(thread, NULL);
    close(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silence_ends),
        cmocka_unit_test(dripping_ends),
        cmocka_unit_test(slow_but_steady_goes_on),
        cmocka_unit_test(the_end_is_told_apart),
        cmocka_unit_test(writing_never_wedges),
        cmocka_unit_test(a_flood_is_bounded),
        cmocka_unit_test(at_rest_little_is_held),
        cmocka_unit_test(an_estimate_too_high_holds_up_nothing),
        cmocka_unit_test(a_patient_wait_outlives_the_wish_to_stop),
        cmocka_unit_test(a_wish_to_stop_ends_a_wait),
    };
    struct err e;

    if (stop_init(&e) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
