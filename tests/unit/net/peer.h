/* SPDX-License-Identifier: MIT
 * peer.h - the other end of a stream: a thread of the test at a socket pair.
 *
 *     static void play(struct peer *p) { peer_send(p, SLICE("+OK\r\n")); }
 *     struct stream *s = peer_start(&p, play, NULL, 1000);
 *     ... the client's side, with checks ...
 *     stream_close(&s); peer_join(&p);
 *
 * A peer never checks (a failing check leaves the test by longjmp, in the wrong thread): it notes what it saw, the test
 * looks after peer_join().
 */
#ifndef MAILHAUL_UNIT_NET_PEER_H
#define MAILHAUL_UNIT_NET_PEER_H

#include "net/stream_int.h"

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit.h"

struct peer {
    int fd;
    pthread_t thread;
    void (*play)(struct peer *p);
    const void *arg;
    char seen[4096]; /* for the test, after peer_join() */
    size_t seen_n;
};

static inline void *peer_run(void *arg)
{
    struct peer *p = arg;
    sigset_t pipe_signal;

    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, NULL);
    p->play(p);
    shutdown(p->fd, SHUT_RDWR);
    return NULL;
}

/* The test's end as a plain descriptor. */
static inline int peer_start_fd(struct peer *p, void (*play)(struct peer *), const void *arg)
{
    int ends[2];

    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    *p = (struct peer){ .fd = ends[1], .play = play, .arg = arg };
    CHECK_INT(pthread_create(&p->thread, NULL, peer_run, p), 0);
    return ends[0];
}

static inline struct stream *peer_start(struct peer *p, void (*play)(struct peer *), const void *arg,
                                        int64_t timeout_ms)
{
    struct layer *l;
    struct stream *s;
    struct err e;

    CHECK_INT(socket_layer(peer_start_fd(p, play, arg), 0, &l, &e), 0);
    CHECK_INT(stream_create(l, "peer", timeout_ms, &s, &e), 0);
    return s;
}

static inline void peer_join(struct peer *p)
{
    pthread_join(p->thread, NULL);
    close(p->fd);
}

static inline bool peer_send(struct peer *p, struct slice bytes)
{
    while (bytes.n > 0) {
        ssize_t n = send(p->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        bytes = slice_from(bytes, (size_t)n);
    }
    return true;
}

/* Notes the next `n` bytes, fewer at the end of the stream. */
static inline bool peer_take(struct peer *p, size_t n)
{
    while (n > 0) {
        ssize_t got = recv(p->fd, p->seen + p->seen_n, size_min(n, sizeof(p->seen) - p->seen_n), 0);
        if (got <= 0)
            return false;
        p->seen_n += (size_t)got;
        n -= (size_t)got;
    }
    return true;
}

/* Waits for the other side to close. */
static inline void peer_wait_for_end(struct peer *p)
{
    char rest[4096];

    while (recv(p->fd, rest, sizeof(rest), 0) > 0)
        continue;
}

#define CHECK_HAS(text, part) unit_check_has((text), (part), __FILE__, __LINE__)
static inline void unit_check_has(const char *text, const char *part, const char *file, int line)
{
    if (strstr(text, part) != NULL)
        return;
    print_error("case: %s\n    \"%s\"\n    does not say \"%s\"\n", unit_case, text, part);
    _fail(file, line);
}

#endif
