/* SPDX-License-Identifier: MIT
 * control_socket.h - STATE_DIR/daemon.sock: the daemon's end and the clients'.
 *
 * STATE_DIR/.daemon.lock says that there is a daemon (no account's name begins with a dot); the kernel lets it go with
 * the process, so that a socket beside a free lock is stale and is replaced. A path that is too long for a socket's
 * address is reached through /proc/self/fd.
 */
#ifndef MAILHAUL_DAEMON_CONTROL_SOCKET_H
#define MAILHAUL_DAEMON_CONTROL_SOCKET_H

#include "store/lock.h"

/* `dir` is the state directory's descriptor, `state_dir` its name. E_LOCKED when there is a daemon already, E_DISK. */
MUST_CHECK int control_socket_listen(int dir, const char *state_dir, struct lock *lock, int *fd_out, struct err *e);
/* The file goes; the lock is the caller's. */
void control_socket_remove(int dir);
/* Whether the one at the other end may command us: our own user, or root. */
bool control_socket_trusts(int fd);
/* 0 and -1 in *fd_out: nobody listens there. *pid_out: of the daemon, 0 when not known. */
MUST_CHECK int control_socket_connect(const char *state_dir, int *fd_out, int *pid_out, struct err *e);

#endif
