/* SPDX-License-Identifier: MIT */
#include "daemon/sdnotify.h"

#include <stdio.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/num.h"

enum { MESSAGE_MAX = 1024, SEND_LIMIT_S = 1 };

/* A manager that is too busy to read shall not hold up the daemon for ever. */
static int open_socket(void)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const struct timeval limit = { .tv_sec = SEND_LIMIT_S };

    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) != 0)
        io_close(&fd);
    return fd;
}

static void take_socket(struct sdnotify *n)
{
    const char *name = getenv("NOTIFY_SOCKET");
    size_t length = name != NULL ? strlen(name) : 0;

    /* With a NUL behind a path, and without one behind an abstract name, whose length is part of it. */
    if (length < 2 || length >= sizeof(n->to.sun_path) || (name[0] != '/' && name[0] != '@'))
        return;
    n->to.sun_family = AF_UNIX;
    memcpy(n->to.sun_path, name, length + 1);
    n->to_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (name[0] == '/'));
    if (name[0] == '@')
        n->to.sun_path[0] = '\0';
    n->fd = open_socket();
}

static void take_watchdog(struct sdnotify *n)
{
    const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    uint64_t limit, whose;

    if (usec == NULL || num_parse_u64(slice_str(usec), &limit) != 0 || limit < 2000)
        return;
    if (pid != NULL && (num_parse_u64(slice_str(pid), &whose) != 0 || whose != (uint64_t)getpid()))
        return;
    n->watchdog_ms = limit / 2000 < INT32_MAX ? (int64_t)(limit / 2000) : INT32_MAX;
}

void sdnotify_init(struct sdnotify *n)
{
    *n = (struct sdnotify){ .fd = -1 };
    take_socket(n);
    if (n->fd >= 0)
        take_watchdog(n);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

void sdnotify_release(struct sdnotify *n)
{
    io_close(&n->fd);
}

static void tell(const struct sdnotify *n, const char *message)
{
    if (n->fd < 0)
        return;
    if (sendto(n->fd, message, strlen(message), MSG_NOSIGNAL, (const struct sockaddr *)&n->to, n->to_size) < 0)
        log_debug("the service manager cannot be told: %s", strerror(errno));
}

void sdnotify_ready(const struct sdnotify *n)
{
    tell(n, "READY=1");
}

/* The time tells the manager which of two reloads has begun. */
void sdnotify_reloading(const struct sdnotify *n)
{
    char message[80];
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(message, sizeof(message), "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
             (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    tell(n, message);
}

void sdnotify_stopping(const struct sdnotify *n)
{
    tell(n, "STOPPING=1");
}

void sdnotify_status(const struct sdnotify *n, const char *words)
{
    char message[MESSAGE_MAX] = "STATUS=";
    size_t at = strlen(message);

    log_printable(message + at, sizeof(message) - at, slice_str(words));
    tell(n, message);
}

void sdnotify_watchdog(const struct sdnotify *n)
{
    tell(n, "WATCHDOG=1");
}

int64_t sdnotify_watchdog_ms(const struct sdnotify *n)
{
    return n->watchdog_ms;
}
