/* SPDX-License-Identifier: MIT
 * delayproxy - a TCP proxy that is a long way off: every byte arrives DELAY milliseconds later, at unlimited rate.
 *
 *     delayproxy ONE-WAY-DELAY-MS PORT...
 *
 * For each PORT of 127.0.0.1 a port of its own is listened on; "PORT LISTEN-PORT" is printed, a line each, then an
 * empty line. A round trip of r ms is a one-way delay of r/2. On SIGTERM one JSON object tells for each connection how
 * many bytes went up and down and how many round trips it took: times that the client spoke after having heard
 * something (or for the first time).
 *
 * One thread a connection; each direction is a queue of chunks with the time at which they are due.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 65536, MAX_CONNECTIONS = 10000, QUEUE_BYTES = 256 << 20 };

struct chunk {
    struct chunk *next;
    int64_t due; /* microseconds */
    size_t length, done;
    char bytes[CHUNK];
};

struct direction {
    int from, to;
    struct chunk *first, *last;
    size_t queued;
    int64_t end_due; /* when the end of the stream is to be passed on; 0: not seen yet */
    int ended;
};

struct connection {
    struct direction up, down;
    uint64_t bytes_up, bytes_down, round_trips;
    int heard; /* the client has been given something since it last spoke */
};

struct door {
    int listener, port;
};

static struct connection *connections[MAX_CONNECTIONS];
static size_t connection_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t delay_us;

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int listen_on(int *port_out)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof a;
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s < 0 || bind(s, (struct sockaddr *)&a, sizeof a) != 0 || listen(s, 512) != 0 ||
        getsockname(s, (struct sockaddr *)&a, &size) != 0) {
        perror("delayproxy: listen");
        exit(1);
    }
    *port_out = ntohs(a.sin_port);
    return s;
}

static int dial(int port)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons((uint16_t)port) };
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s >= 0 && connect(s, (struct sockaddr *)&a, sizeof a) != 0) {
        close(s);
        s = -1;
    }
    return s;
}

/* Takes what is there into the queue. 0 at the end of the stream or on an error. */
static int take(struct direction *d)
{
    struct chunk *c = malloc(sizeof *c);
    if (!c)
        return 0;
    ssize_t n = recv(d->from, c->bytes, sizeof c->bytes, MSG_DONTWAIT);
    if (n <= 0) {
        free(c);
        return n < 0 && (errno == EAGAIN || errno == EINTR);
    }
    c->next = NULL;
    c->due = now_us() + delay_us;
    c->length = (size_t)n;
    c->done = 0;
    if (d->last)
        d->last->next = c;
    else
        d->first = c;
    d->last = c;
    d->queued += (size_t)n;
    return 1;
}

/* Passes on what is due. Returns the bytes given, or -1. */
static int64_t give(struct direction *d)
{
    int64_t total = 0;
    while (d->first && d->first->due <= now_us()) {
        struct chunk *c = d->first;
        ssize_t n = send(d->to, c->bytes + c->done, c->length - c->done, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR ? total : -1;
        total += n;
        c->done += (size_t)n;
        if (c->done < c->length)
            return total;
        d->queued -= c->length;
        d->first = c->next;
        if (!d->first)
            d->last = NULL;
        free(c);
    }
    if (!d->first && d->end_due && !d->ended && d->end_due <= now_us()) {
        shutdown(d->to, SHUT_WR);
        d->ended = 1;
    }
    return total;
}

static void watch(const struct direction *d, struct pollfd *from, struct pollfd *to, int64_t *wake)
{
    if (!d->end_due && d->queued < QUEUE_BYTES)
        from->events |= POLLIN;
    int64_t due = d->first ? d->first->due : d->end_due && !d->ended ? d->end_due : 0;
    if (!due)
        return;
    if (d->first && due <= now_us())
        to->events |= POLLOUT;
    else if (*wake == 0 || due < *wake)
        *wake = due;
}

static void relay(struct connection *c)
{
    while (!c->up.ended || !c->down.ended) {
        struct pollfd p[2] = { { .fd = c->up.from }, { .fd = c->up.to } };
        int64_t wake = 0;
        watch(&c->up, &p[0], &p[1], &wake);
        watch(&c->down, &p[1], &p[0], &wake);
        for (int i = 0; i < 2; i++) {
            if (!p[i].events) /* a hang-up would make poll spin */
                p[i].fd = -1;
        }
        struct timespec left, *timeout = NULL;
        if (wake) {
            int64_t us = wake > now_us() ? wake - now_us() : 0;
            left = (struct timespec){ us / 1000000, us % 1000000 * 1000 };
            timeout = &left;
        }
        ppoll(p, 2, timeout, NULL);
        struct direction *both[2] = { &c->up, &c->down };
        for (int i = 0; i < 2; i++) {
            struct direction *d = both[i];
            if (!(p[i].events & POLLIN) || !(p[i].revents & (POLLIN | POLLHUP | POLLERR)))
                continue;
            size_t before = d->queued;
            if (!take(d))
                d->end_due = now_us() + delay_us;
            if (d->queued > before && d == &c->up) {
                c->bytes_up += d->queued - before;
                if (c->round_trips == 0 || c->heard)
                    c->round_trips++;
                c->heard = 0;
            }
        }
        int64_t down = give(&c->down);
        if (down < 0 || give(&c->up) < 0)
            return;
        if (down > 0) {
            c->heard = 1;
            c->bytes_down += (uint64_t)down;
        }
    }
}

static void drop(struct direction *d)
{
    while (d->first) {
        struct chunk *c = d->first;
        d->first = c->next;
        free(c);
    }
}

static void *serve(void *argument)
{
    struct connection *c = argument;
    relay(c);
    close(c->up.from);
    close(c->up.to);
    drop(&c->up);
    drop(&c->down);
    return NULL;
}

static void *accept_all(void *argument)
{
    const struct door *door = argument;
    for (;;) {
        int client = accept4(door->listener, NULL, NULL, SOCK_CLOEXEC);
        if (client < 0)
            continue;
        int server = dial(door->port), on = 1;
        struct connection *c = server < 0 ? NULL : calloc(1, sizeof *c);
        pthread_mutex_lock(&lock);
        if (c && connection_count < MAX_CONNECTIONS)
            connections[connection_count++] = c;
        pthread_mutex_unlock(&lock);
        if (!c) {
            close(client);
            continue;
        }
        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        c->up = (struct direction){ .from = client, .to = server };
        c->down = (struct direction){ .from = server, .to = client };
        pthread_t thread;
        if (pthread_create(&thread, NULL, serve, c) == 0)
            pthread_detach(thread);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: delayproxy ONE-WAY-DELAY-MS PORT...\n");
        return 64;
    }
    delay_us = (int64_t)(strtod(argv[1], NULL) * 1000);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    for (int i = 2; i < argc; i++) {
        struct door *door = calloc(1, sizeof *door);
        pthread_t thread;
        int port;
        if (!door)
            return 1;
        door->port = (int)strtol(argv[i], NULL, 10);
        door->listener = listen_on(&port);
        printf("%s %d\n", argv[i], port);
        if (pthread_create(&thread, NULL, accept_all, door) != 0)
            return 1;
    }
    printf("\n");
    fflush(stdout);
    int got;
    sigwait(&set, &got);
    pthread_mutex_lock(&lock);
    printf("{\"connections\": [");
    for (size_t i = 0; i < connection_count; i++)
        printf("%s{\"round_trips\": %llu, \"up\": %llu, \"down\": %llu}", i ? ", " : "",
               (unsigned long long)connections[i]->round_trips, (unsigned long long)connections[i]->bytes_up,
               (unsigned long long)connections[i]->bytes_down);
    printf("]}\n");
    fflush(stdout);
    _exit(0);
}
