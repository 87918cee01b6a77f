/* SPDX-License-Identifier: MIT */
#include "cmd/redirect.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/stop.h"

enum { CLIENTS = 8, REQUEST_MAX = 16 * 1024, LISTENERS = 2, ANSWER_MS = 5000, TYPED = LISTENERS + 1 };

struct client {
    int fd; /* -1: free */
    int64_t since;
    struct buf in; /* holds the code */
};

struct redirect {
    int listener[LISTENERS];
    char uri[64];
    struct client clients[CLIENTS];
    struct client *asking; /* waits for redirect_answer() */
    struct buf typed;
    bool terminal;
};

static void drop(struct client *c)
{
    io_close(&c->fd);
    buf_wipe(&c->in);
    buf_release(&c->in);
}

/* --- listening --- */

static int listen_on(const struct sockaddr *address, socklen_t size)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;

    if (fd < 0)
        return -1;
    if (address->sa_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
    if (bind(fd, address, size) != 0 || listen(fd, CLIENTS) != 0)
        io_close(&fd);
    return fd;
}

/* A browser asks ::1 first for "localhost", and 127.0.0.1 when nobody is there. */
static int listen_on_loopback(struct redirect *r, struct err *e)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    socklen_t size = sizeof(v4);

    r->listener[0] = listen_on((const struct sockaddr *)&v4, sizeof(v4));
    if (r->listener[0] < 0 || getsockname(r->listener[0], (struct sockaddr *)&v4, &size) != 0)
        return err_sys(e, E_NET, errno, "nothing can be listened on for the browser to come back to");
    v6.sin6_port = v4.sin_port;
    r->listener[1] = listen_on((const struct sockaddr *)&v6, sizeof(v6));
    snprintf(r->uri, sizeof(r->uri), "http://localhost:%u", (unsigned)ntohs(v4.sin_port));
    return 0;
}

int redirect_open(struct redirect **out, struct err *e)
{
    struct redirect *r = calloc(1, sizeof(*r));

    *out = NULL;
    if (r == NULL)
        return err_nomem(e);
    r->listener[0] = r->listener[1] = -1;
    for (size_t i = 0; i < CLIENTS; i++)
        r->clients[i].fd = -1;
    r->typed = BUF_INIT(REQUEST_MAX);
    r->terminal = isatty(STDIN_FILENO) == 1;
    if (listen_on_loopback(r, e) != 0) {
        redirect_close(&r);
        return -1;
    }
    *out = r;
    return 0;
}

const char *redirect_uri(const struct redirect *r)
{
    return r->uri;
}

void redirect_close(struct redirect **rp)
{
    struct redirect *r = *rp;

    if (r == NULL)
        return;
    for (size_t i = 0; i < CLIENTS; i++)
        drop(&r->clients[i]);
    for (size_t i = 0; i < LISTENERS; i++)
        io_close(&r->listener[i]);
    buf_wipe(&r->typed);
    buf_release(&r->typed);
    free(r);
    *rp = NULL;
}

/* --- what is asked --- */

static void answer(struct client *c, const char *status, const char *words)
{
    struct buf text = BUF_INIT(8192);
    struct pollfd out = { .fd = c->fd, .events = POLLOUT };

    if (buf_putf(&text,
                 "HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %zu\r\n"
                 "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n%s\n",
                 status, strlen(words) + 1, words) == 0 &&
        poll(&out, 1, ANSWER_MS) == 1)
        (void)!send(c->fd, text.p, text.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)shutdown(c->fd, SHUT_WR);
    buf_release(&text);
    drop(c);
}

static void accept_one(struct redirect *r, int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct client *place = &r->clients[0];

    if (fd < 0)
        return;
    for (size_t i = 0; i < CLIENTS; i++) {
        if (r->clients[i].fd < 0 || (place->fd >= 0 && r->clients[i].since < place->since))
            place = &r->clients[i];
        if (place->fd < 0)
            break;
    }
    drop(place);
    *place = (struct client){ .fd = fd, .since = clock_mono_ms(), .in = BUF_INIT(REQUEST_MAX) };
}

/* "GET /?code=... HTTP/1.1": the query, or the answer that it deserves. */
static const char *judge(struct slice head, struct slice *query)
{
    const char *end = memchr(head.p, '\r', head.n), *blank;
    struct slice line = slice_make(head.p, end != NULL ? (size_t)(end - head.p) : head.n);

    if (!slice_starts(line, SLICE("GET ")))
        return "405 Method Not Allowed";
    line = slice_from(line, strlen("GET "));
    blank = memchr(line.p, ' ', line.n);
    if (blank == NULL)
        return "400 Bad Request";
    line.n = (size_t)(blank - line.p);
    if (!slice_starts(line, SLICE("/?")))
        return "404 Not Found";
    *query = slice_from(line, 2);
    return NULL;
}

/* True: `query` is one to be judged. */
static bool read_request(struct redirect *r, struct client *c, struct buf *query)
{
    const char *status = NULL;
    struct slice found;
    ssize_t n;

    if (buf_reserve(&c->in, REQUEST_MAX) != 0 && c->in.len == 0) {
        drop(c);
        return false;
    }
    n = recv(c->fd, c->in.p + c->in.len, c->in.max - c->in.len, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0) {
        drop(c);
        return false;
    }
    buf_grew(&c->in, (size_t)n);
    if (memmem(c->in.p, c->in.len, "\r\n\r\n", 4) == NULL) {
        if (c->in.len == c->in.max)
            answer(c, "431 Request Header Fields Too Large", "too long");
        return false;
    }
    status = judge(buf_slice(&c->in), &found);
    if (status != NULL) {
        answer(c, status, "There is nothing here.");
        return false;
    }
    buf_wipe(query);
    if (buf_put_slice(query, found) != 0) {
        answer(c, "500 Internal Server Error", "out of memory");
        return false;
    }
    r->asking = c;
    return true;
}

/* The whole address, as the browser shows it, or what stands behind its "?". */
static bool read_typed(struct redirect *r, struct buf *query)
{
    const char *mark;
    struct slice line;
    ssize_t n;

    if (buf_reserve(&r->typed, 4096) != 0) {
        buf_wipe(&r->typed);
        return false;
    }
    n = read(STDIN_FILENO, r->typed.p + r->typed.len, 4096);
    if (n <= 0) {
        r->terminal = n < 0 && errno == EINTR;
        return false;
    }
    buf_grew(&r->typed, (size_t)n);
    if (memchr(r->typed.p, '\n', r->typed.len) == NULL)
        return false;
    line = slice_trim(buf_slice(&r->typed));
    mark = memchr(line.p, '?', line.n);
    if (mark != NULL)
        line = slice_from(line, (size_t)(mark + 1 - line.p));
    buf_wipe(query);
    n = buf_put_slice(query, line);
    buf_wipe(&r->typed);
    return n == 0 && query->len > 0;
}

static bool served(struct redirect *r, const struct pollfd *fds, struct buf *query)
{
    if (fds[LISTENERS].revents != 0 && r->terminal && read_typed(r, query))
        return true;
    for (size_t i = 0; i < CLIENTS; i++) {
        if (r->clients[i].fd >= 0 && fds[TYPED + 1 + i].fd == r->clients[i].fd && fds[TYPED + 1 + i].revents != 0 &&
            read_request(r, &r->clients[i], query))
            return true;
    }
    for (size_t i = 0; i < LISTENERS; i++) {
        if (fds[i].revents != 0)
            accept_one(r, r->listener[i]);
    }
    return false;
}

int redirect_wait(struct redirect *r, int64_t until_ms, struct buf *query, struct err *e)
{
    for (;;) {
        struct pollfd fds[TYPED + 1 + CLIENTS];
        int64_t left = until_ms - clock_mono_ms();

        if (left <= 0)
            return err_set(e, E_TIMEOUT, "nobody came back from the browser in time");
        for (size_t i = 0; i < LISTENERS; i++)
            fds[i] = (struct pollfd){ .fd = r->listener[i], .events = POLLIN };
        fds[LISTENERS] = (struct pollfd){ .fd = r->terminal ? STDIN_FILENO : -1, .events = POLLIN };
        fds[TYPED] = (struct pollfd){ .fd = stop_fd(), .events = POLLIN };
        for (size_t i = 0; i < CLIENTS; i++)
            fds[TYPED + 1 + i] = (struct pollfd){ .fd = r->clients[i].fd, .events = POLLIN };
        if (poll(fds, ARRAY_LEN(fds), (int)left) < 0 && errno != EINTR)
            return err_sys(e, E_NET, errno, "the browser cannot be waited for");
        if (stop_requested() != 0)
            return err_set(e, E_STOPPED, "stopped");
        if (served(r, fds, query))
            return 0;
    }
}

void redirect_answer(struct redirect *r, bool found, const char *words)
{
    if (r->asking != NULL)
        answer(r->asking, found ? "200 OK" : "400 Bad Request", words);
    r->asking = NULL;
}
