/* SPDX-License-Identifier: MIT */
#include "daemon/http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "daemon/conn.h"
#include "daemon/metrics.h"

enum { CLIENTS_MAX = 8, BACKLOG = 16, REQUEST_MAX = 1024 };

struct visitor {
    struct http *http;
    struct visitor *next; /* the newer ones first */
    struct conn conn;
    bool asked;
};

struct http {
    struct supervisor *supervisor;
    int state_dir;
    char *address; /* owned */
    uint16_t port;
    struct listener listener;
    struct visitor *visitors;
    size_t visitor_count;
};

static bool is_target(struct slice line)
{
    const char *blank = memchr(line.p, ' ', line.n);
    size_t n = blank != NULL ? (size_t)(blank - line.p) : line.n;
    const char *query = memchr(line.p, '?', n);

    return slice_eq(slice_make(line.p, query != NULL ? (size_t)(query - line.p) : n), SLICE("/metrics"));
}

int http_judge(struct slice r, size_t most)
{
    const char *lf = r.n > 0 ? memchr(r.p, '\n', r.n) : NULL;
    bool whole = r.n > 0 && (memmem(r.p, r.n, "\r\n\r\n", 4) != NULL || memmem(r.p, r.n, "\n\n", 2) != NULL);
    struct slice line, blank;

    if (!whole)
        return r.n >= most ? 431 : 0;
    line = slice_trim(slice_make(r.p, (size_t)(lf - r.p)));
    blank = slice_make(line.p, line.n);
    while (blank.n > 0 && blank.p[0] != ' ')
        blank = slice_from(blank, 1);
    if (blank.n < 2)
        return 400;
    if (!slice_starts(line, SLICE("GET ")))
        return 405;
    if (line.n < sizeof("GET / HTTP/1.1") - 1 ||
        !slice_starts(slice_from(line, line.n - (sizeof("HTTP/1.1") - 1)), SLICE("HTTP/1.")))
        return 400;
    return is_target(slice_from(blank, 1)) ? 200 : 404;
}

static void visitor_free(struct visitor *v)
{
    struct http *h = v->http;

    for (struct visitor **p = &h->visitors; *p != NULL; p = &(*p)->next) {
        if (*p == v) {
            *p = v->next;
            break;
        }
    }
    h->visitor_count--;
    conn_close(&v->conn);
    free(v);
}

static int put_metrics(const struct http *h, struct buf *out)
{
    size_t n = supervisor_count(h->supervisor);
    struct status_line *lines = calloc(n + 1, sizeof(*lines));
    struct metrics m = { .up = true, .since = supervisor_since(h->supervisor), .lines = lines, .count = n };
    int rc = -1;

    if (lines != NULL) {
        for (size_t i = 0; i < n; i++)
            status_live(h->supervisor, i, h->state_dir, &lines[i]);
        rc = metrics_put(&m, out);
    }
    free(lines);
    return rc;
}

static const char *reason_of(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 431:
        return "Request Header Fields Too Large";
    case 500:
        return "Internal Server Error";
    default:
        return "Bad Request";
    }
}

/* -1: it will not hear it. */
static int answer(struct visitor *v, int status)
{
    struct buf body = BUF_INIT(METRICS_MAX), head = BUF_INIT(1024);
    int rc = -1;

    if (status == 200 && put_metrics(v->http, &body) != 0) {
        buf_clear(&body);
        status = 500;
    }
    if (status != 200 && buf_putf(&body, "%s\n", reason_of(status)) != 0)
        goto out;
    if (buf_putf(&head, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%sConnection: close\r\n\r\n",
                 status, reason_of(status), status == 200 ? METRICS_CONTENT_TYPE : "text/plain; charset=utf-8",
                 body.len, status == 405 ? "Allow: GET\r\n" : "") != 0)
        goto out;
    rc = conn_put(&v->conn, buf_slice(&head)) == 0 ? conn_put(&v->conn, buf_slice(&body)) : -1;
out:
    buf_release(&body);
    buf_release(&head);
    return rc;
}

static void received(void *owner)
{
    struct visitor *v = owner;
    int status = http_judge(buf_slice(&v->conn.in), REQUEST_MAX);

    if (status == 0)
        return;
    v->asked = true;
    conn_asked(&v->conn);
    if (answer(v, status) != 0)
        visitor_free(v);
}

static void over(void *owner)
{
    visitor_free(owner);
}

static bool make_room(struct http *h)
{
    struct visitor *oldest = NULL;

    if (h->visitor_count < CLIENTS_MAX)
        return true;
    for (struct visitor *v = h->visitors; v != NULL; v = v->next) {
        if (!v->asked)
            oldest = v;
    }
    if (oldest != NULL)
        visitor_free(oldest);
    return oldest != NULL;
}

static void accepted(void *ctx, int fd)
{
    static const struct conn_ops ops = { .received = received, .drained = over, .gone = over };
    struct http *h = ctx;
    struct visitor *v = NULL;
    struct err e;

    if (!make_room(h) || (v = calloc(1, sizeof(*v))) == NULL) {
        io_close(&fd);
        return;
    }
    v->http = h;
    if (conn_open(&v->conn, h->listener.loop, fd, &ops, v, REQUEST_MAX, METRICS_MAX + 1024, &e) != 0) {
        free(v);
        return;
    }
    v->next = h->visitors;
    h->visitors = v;
    h->visitor_count++;
}

static int listen_at(const char *address, uint16_t port, int *fd_out, struct err *e)
{
    struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
    struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(port) };
    bool is_four = inet_pton(AF_INET, address, &four.sin_addr) == 1;
    struct sockaddr *a = is_four ? (struct sockaddr *)&four : (struct sockaddr *)&six;
    int fd = -1, on = 1;

    *fd_out = -1;
    if (!is_four && inet_pton(AF_INET6, address, &six.sin6_addr) != 1)
        return err_set(e, E_CONFIG, "%s is no address", address);
    fd = socket(a->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    /* Connections of the daemon before this one linger; nobody listens there. */
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, a, is_four ? sizeof(four) : sizeof(six)) != 0 || listen(fd, BACKLOG) != 0) {
        (void)err_sys(e, E_CONFIG, errno, "%s port %u cannot be listened on", address, (unsigned)port);
        io_close(&fd);
        return -1;
    }
    *fd_out = fd;
    return 0;
}

int http_set(struct http **hp, struct supervisor *s, int state_dir, const char *address, uint16_t port, struct err *e)
{
    struct http *h = *hp;
    int fd = -1;

    if (h != NULL && address != NULL && strcmp(h->address, address) == 0 && h->port == port)
        return 0;
    http_free(hp);
    if (address == NULL)
        return 0;
    if (listen_at(address, port, &fd, e) != 0)
        return -1;
    h = calloc(1, sizeof(*h));
    if (h == NULL || (h->address = strdup(address)) == NULL) {
        free(h);
        io_close(&fd);
        return err_nomem(e);
    }
    h->supervisor = s;
    h->state_dir = state_dir;
    h->port = port;
    if (listener_open(&h->listener, supervisor_loop(s), fd, accepted, h, e) != 0) {
        free(h->address);
        free(h);
        return -1;
    }
    *hp = h;
    return 0;
}

void http_free(struct http **hp)
{
    struct http *h = *hp;

    if (h == NULL)
        return;
    while (h->visitors != NULL)
        visitor_free(h->visitors);
    listener_close(&h->listener);
    free(h->address);
    free(h);
    *hp = NULL;
}
