/* SPDX-License-Identifier: MIT
 * sdnotify.h - what a service manager wants to hear, by the protocol of sd_notify(3), without libsystemd.
 *
 * Where NOTIFY_SOCKET (a path, or @NAME for an abstract one) is not set, or cannot be used, nothing is sent and nothing
 * fails. The variables are taken out of the environment, so that no child speaks in our place.
 *
 * Calling sequence: sdnotify_init() once, before threads; sdnotify_ready() when the program does its work; around a
 * reload sdnotify_reloading() and sdnotify_ready() again; sdnotify_watchdog() every sdnotify_watchdog_ms();
 * sdnotify_stopping(); sdnotify_release().
 * Thread: one.
 */
#ifndef MAILHAUL_DAEMON_SDNOTIFY_H
#define MAILHAUL_DAEMON_SDNOTIFY_H

#include "base/base.h"

#include <sys/socket.h>
#include <sys/un.h>

struct sdnotify {
    int fd; /* -1: nobody listens */
    struct sockaddr_un to;
    socklen_t to_size;
    int64_t watchdog_ms;
};

void sdnotify_init(struct sdnotify *n);
void sdnotify_release(struct sdnotify *n);
void sdnotify_ready(const struct sdnotify *n);
void sdnotify_reloading(const struct sdnotify *n);
void sdnotify_stopping(const struct sdnotify *n);
/* One line for people, `systemctl status` shows it. */
void sdnotify_status(const struct sdnotify *n, const char *words);
void sdnotify_watchdog(const struct sdnotify *n);
/* How often sdnotify_watchdog() is wanted: half of what the manager waits. 0: not at all. */
int64_t sdnotify_watchdog_ms(const struct sdnotify *n);

#endif
