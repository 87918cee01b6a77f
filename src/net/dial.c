/* SPDX-License-Identifier: MIT */
#include "net/dial.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/stop.h"
#include "net/host.h"
#include "net/stream_int.h"

enum {
    /* RFC 8305 section 5: the time an attempt has for itself. */
    ATTEMPT_MS = 250,
    /* More addresses than this are not tried in one pass. */
    ADDRESSES_MAX = 16,
};

struct target {
    char host[HOST_MAX];
    uint16_t port;
    enum dial_family family;
    const char *bind_address;
    int64_t deadline; /* clock_mono_ms() */
};

struct race {
    const struct target *target;
    struct addrinfo *bind;                      /* NULL: any */
    const struct addrinfo *todo[ADDRESSES_MAX]; /* in the order of the attempts */
    size_t todo_count, begun;
    int fds[ADDRESSES_MAX]; /* the attempts under way: fds[0..running) */
    size_t running;
    int last_error;
};

/* --- names --- */

static int wanted_family(enum dial_family family)
{
    return family == DIAL_IPV4 ? AF_INET : family == DIAL_IPV6 ? AF_INET6 : AF_UNSPEC;
}

static int resolve(const struct target *t, struct addrinfo **out, struct err *e)
{
    struct addrinfo hints = { .ai_family = wanted_family(t->family),
                              .ai_socktype = SOCK_STREAM,
                              .ai_flags = AI_NUMERICSERV };
    char port[8];
    int rc;

    snprintf(port, sizeof(port), "%u", t->port);
    rc = getaddrinfo(t->host, port, &hints, out);
    /* RFC 6761 section 6.3: this name is loopback, also where no /etc/hosts says so. */
    if (rc != 0 && strcasecmp(t->host, "localhost") == 0)
        rc = getaddrinfo(NULL, port, &hints, out);
    if (rc == 0)
        return 0;
    switch (rc) {
    case EAI_NONAME:
    case EAI_NODATA:
    case EAI_ADDRFAMILY:
        if (t->family != DIAL_ANY)
            return err_set(e, E_NET, "%s: the name does not exist or has no %s address", t->host,
                           t->family == DIAL_IPV4 ? "IPv4" : "IPv6");
        return err_set(e, E_NET, "%s: the name does not exist", t->host);
    case EAI_MEMORY:
        return err_nomem(e);
    case EAI_SYSTEM:
        return err_sys(e, E_NET, errno, "%s: the name cannot be looked up", t->host);
    default:
        return err_set(e, E_NET, "%s: the name cannot be looked up: %s", t->host, gai_strerror(rc));
    }
}

static int resolve_bind(const char *address, struct addrinfo **out, struct err *e)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_PASSIVE };

    *out = NULL;
    if (address == NULL || getaddrinfo(address, NULL, &hints, out) == 0)
        return 0;
    return err_set(e, E_CONFIG, "bind_address %s is no IPv4 or IPv6 address", address);
}

/* Both families in turn, beginning with the one that the system puts first (RFC 8305 section 4). */
static void put_in_order(struct race *r, const struct addrinfo *found)
{
    const struct addrinfo *next[2] = { found, found };
    int family[2] = { found->ai_family, found->ai_family == AF_INET ? AF_INET6 : AF_INET };
    size_t turn = 0, missed = 0;

    while (r->todo_count < ADDRESSES_MAX && missed < 2) {
        while (next[turn] != NULL &&
               (next[turn]->ai_family != family[turn] || (r->bind != NULL && r->bind->ai_family != family[turn])))
            next[turn] = next[turn]->ai_next;
        missed = next[turn] == NULL ? missed + 1 : 0;
        if (next[turn] != NULL) {
            r->todo[r->todo_count++] = next[turn];
            next[turn] = next[turn]->ai_next;
        }
        turn = !turn;
    }
}

/* --- the race --- */

/* 1: connected, 0: under way, -1: failed, with errno. */
static int begin(const struct race *r, const struct addrinfo *a, int *fd_out)
{
    int on = 1, saved;
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    *fd_out = fd;
    if (fd < 0)
        return -1;
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) == 0 &&
        (r->bind == NULL || bind(fd, r->bind->ai_addr, r->bind->ai_addrlen) == 0)) {
        if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
            return 1;
        if (errno == EINPROGRESS || errno == EINTR)
            return 0;
    }
    saved = errno;
    io_close(fd_out);
    errno = saved;
    return -1;
}

/* Begins attempts until one is under way or connected; its descriptor in *winner if connected. */
static void begin_next(struct race *r, int *winner)
{
    while (r->begun < r->todo_count) {
        int fd, rc = begin(r, r->todo[r->begun++], &fd);

        if (rc > 0)
            *winner = fd;
        else if (rc == 0)
            r->fds[r->running++] = fd;
        else
            r->last_error = errno;
        if (rc >= 0)
            return;
    }
}

/* Looks at the attempts that poll() spoke of: the first that connected wins, those that failed are dropped. */
static void harvest(struct race *r, const struct pollfd *polled, int *winner)
{
    size_t kept = 0;

    for (size_t i = 0; i < r->running; i++) {
        int error = 0;
        socklen_t size = sizeof(error);

        if (polled[i].revents == 0 || *winner >= 0) {
            r->fds[kept++] = r->fds[i];
            continue;
        }
        if (getsockopt(r->fds[i], SOL_SOCKET, SO_ERROR, &error, &size) != 0)
            error = errno;
        if (error == 0) {
            *winner = r->fds[i];
            continue;
        }
        r->last_error = error;
        io_close(&r->fds[i]);
    }
    r->running = kept;
}

/* Waits until an attempt has come to its end, another may begin, or time is up. */
static int wait_for_one(struct race *r, int64_t next_at, int *winner, struct err *e)
{
    struct pollfd polled[ADDRESSES_MAX + 1];
    int64_t now = clock_mono_ms(), until = r->target->deadline;
    size_t n = r->running;

    if (r->begun < r->todo_count && next_at < until)
        until = next_at;
    for (size_t i = 0; i < n; i++)
        polled[i] = (struct pollfd){ .fd = r->fds[i], .events = POLLOUT };
    polled[n] = (struct pollfd){ .fd = stop_fd(), .events = POLLIN };
    if (poll(polled, n + 1, until > now ? (int)(until - now) : 0) < 0)
        return errno == EINTR ? 0 : err_sys(e, E_NET, errno, "waiting failed");
    if (polled[n].revents != 0)
        return err_set(e, E_STOPPED, "stopped");
    harvest(r, polled, winner);
    return 0;
}

static int run_race(struct race *r, int *fd_out, struct err *e)
{
    const struct target *t = r->target;
    int winner = -1, rc = 0;

    while (winner < 0 && rc == 0) {
        int64_t now = clock_mono_ms(), next_at = now + ATTEMPT_MS;
        size_t running;

        begin_next(r, &winner);
        running = r->running;
        if (winner < 0 && running == 0)
            rc = err_sys(e, E_NET, r->last_error, "%s port %u", t->host, t->port);
        /* Until one more may begin: after its time, or as soon as one failed. */
        while (winner < 0 && rc == 0 && r->running == running && (r->begun == r->todo_count || now < next_at)) {
            rc = wait_for_one(r, next_at, &winner, e);
            now = clock_mono_ms();
            if (rc == 0 && winner < 0 && r->running > 0 && now >= t->deadline)
                rc = err_set(e, E_TIMEOUT, "%s port %u: no connection within the time allowed", t->host, t->port);
        }
    }
    for (size_t i = 0; i < r->running; i++)
        io_close(&r->fds[i]);
    *fd_out = winner;
    return rc;
}

static int connect_tcp(const struct target *t, int *fd_out, struct err *e)
{
    struct addrinfo *found = NULL;
    struct race r = { .target = t };
    int rc = -1;

    if (resolve_bind(t->bind_address, &r.bind, e) != 0)
        return -1;
    if (resolve(t, &found, e) != 0)
        goto out;
    put_in_order(&r, found);
    if (r.todo_count == 0) {
        err_set(e, E_NET, "%s has no address that can be reached from bind_address %s", t->host, t->bind_address);
        goto out;
    }
    rc = run_race(&r, fd_out, e);
out:
    if (found != NULL)
        freeaddrinfo(found);
    if (r.bind != NULL)
        freeaddrinfo(r.bind);
    return rc;
}

/* --- the ways to a stream --- */

static int dial_tunnel(const struct dial_options *o, struct stream **out, struct err *e)
{
    struct layer *l;
    char name[STREAM_NAME_MAX];
    pid_t child;
    int fd;

    snprintf(name, sizeof(name), "tunnel %s", o->tunnel[0]);
    if (tunnel_start(o->tunnel, &fd, &child, e) != 0 || socket_layer(fd, child, &l, e) != 0)
        return -1;
    return stream_create(l, name, (int64_t)o->timeout_s * 1000, out, e);
}

static int dial_unix(const struct dial_options *o, struct stream **out, struct err *e)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct layer *l;
    int fd;

    if (snprintf(address.sun_path, sizeof(address.sun_path), "%s", o->unix_socket) >= (int)sizeof(address.sun_path))
        return err_set(e, E_CONFIG, "%s: the path is too long for a socket", o->unix_socket);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        err_sys(e, E_NET, errno, "%s", o->unix_socket);
        io_close(&fd);
        return -1;
    }
    if (socket_layer(fd, 0, &l, e) != 0)
        return -1;
    return stream_create(l, o->unix_socket, (int64_t)o->timeout_s * 1000, out, e);
}

static int dial_tcp(const struct dial_options *o, struct stream **out, struct err *e)
{
    bool proxy = o->proxy_host != NULL;
    struct target t = { .port = proxy ? o->proxy_port : o->port,
                        .family = o->family,
                        .bind_address = o->bind_address,
                        .deadline = clock_mono_ms() + (int64_t)o->timeout_s * 1000 };
    struct layer *l;
    int fd;

    if (host_ascii(proxy ? o->proxy_host : o->host, t.host, e) != 0)
        return -1;
    if (connect_tcp(&t, &fd, e) != 0)
        return proxy && e->code != E_STOPPED ? err_ctx(e, "proxy") : -1;
    if (socket_layer(fd, 0, &l, e) != 0 ||
        stream_create(l, proxy ? "" : o->host, (int64_t)o->timeout_s * 1000, out, e) != 0)
        return -1;
    if (!proxy)
        return 0;
    if (socks5_connect(*out, o, e) != 0) {
        stream_close(out);
        return e->code != E_STOPPED ? err_ctx(e, "proxy %s", o->proxy_host) : -1;
    }
    snprintf((*out)->name, sizeof((*out)->name), "%s", o->host);
    stream_exchange(*out, 1);
    return 0;
}

int dial(const struct dial_options *options, struct stream **out, struct err *e)
{
    int rc;

    if (options->tunnel != NULL)
        rc = dial_tunnel(options, out, e);
    else if (options->unix_socket != NULL)
        rc = dial_unix(options, out, e);
    else
        rc = dial_tcp(options, out, e);
    /* A server that cannot be reached now cannot be reached at once again either. */
    if (rc != 0 && e->code == E_NET)
        err_retry(e, RETRY_LATER);
    return rc;
}
