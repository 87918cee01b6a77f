/* SPDX-License-Identifier: MIT
 * script.h - a server that says what the test has it say, when the test has it say it: dial() makes a socket pair, and
 * the test holds the other end. Without a thread: what the client is to read is there before it asks.
 *
 *     script_start(greeting, second_greeting)      what each connection begins with
 *     ... the client dials and talks ...           script_says(), script_hangs_up() on the latest connection
 *     CHECK_SLICE(script_sent(), ...)              what the client sent since the last look
 *     script_end()
 */
#ifndef MAILHAUL_UNIT_NET_SCRIPT_H
#define MAILHAUL_UNIT_NET_SCRIPT_H

#include "net/stream_int.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit.h"

static struct {
    const char *greetings[3];
    size_t dials;
    int fd; /* the server's end; -1: none */
    int64_t timeout_ms;
    struct buf sent, shown;
} script;

static inline void script_says(const char *bytes)
{
    CHECK_INT(send(script.fd, bytes, strlen(bytes), MSG_NOSIGNAL), strlen(bytes));
}

/* What the client sends is still taken. */
static inline void script_says_no_more(void)
{
    CHECK_INT(shutdown(script.fd, SHUT_WR), 0);
}

static inline void script_collect(void)
{
    char piece[4096];
    ssize_t n;

    while (script.fd >= 0 && (n = recv(script.fd, piece, sizeof(piece), MSG_DONTWAIT)) > 0)
        assert_int_equal(buf_put(&script.sent, piece, (size_t)n), 0);
}

static inline void script_hangs_up(void)
{
    script_collect();
    if (script.fd >= 0)
        close(script.fd);
    script.fd = -1;
}

/* Valid until the next call. */
static inline struct slice script_sent(void)
{
    script_collect();
    buf_clear(&script.shown);
    assert_int_equal(buf_put_slice(&script.shown, buf_slice(&script.sent)), 0);
    buf_clear(&script.sent);
    return buf_slice(&script.shown);
}

static inline void script_start(const char *first, const char *second)
{
    script.greetings[0] = first;
    script.greetings[1] = second;
    script.dials = 0;
    script.fd = -1;
    script.timeout_ms = 10000;
    script.sent = script.shown = BUF_INIT(1 << 20);
}

static inline void script_end(void)
{
    script_hangs_up();
    buf_release(&script.sent);
    buf_release(&script.shown);
}

int dial(const struct dial_options *options, struct stream **out, struct err *e)
{
    const char *greeting = script.greetings[script.dials];
    struct layer *l;
    int ends[2];

    (void)options;
    script.dials++;
    if (greeting == NULL)
        return err_set(e, E_NET, "nobody is there");
    script_hangs_up();
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    script.fd = ends[1];
    script_says(greeting);
    if (socket_layer(ends[0], 0, &l, e) != 0)
        return -1;
    return stream_create(l, "script", script.timeout_ms, out, e);
}

static inline bool script_readable(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };

    return poll(&p, 1, 0) > 0;
}

#endif
