/* SPDX-License-Identifier: MIT */
#include "daemon/control_socket.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/io.h"

#define SOCKET_NAME "daemon.sock"
#define LOCK_NAME   ".daemon.lock"
enum { BACKLOG = 64 };

static struct sockaddr_un address_of(int dir, const char *state_dir)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int n = snprintf(a.sun_path, sizeof(a.sun_path), "%s/" SOCKET_NAME, state_dir);

    if (n < 0 || (size_t)n >= sizeof(a.sun_path))
        snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/" SOCKET_NAME, dir);
    return a;
}

static bool reached_by_proc(const struct sockaddr_un *a, const char *state_dir)
{
    return strncmp(a->sun_path, state_dir, strlen(state_dir)) != 0;
}

/* Where the words of the system would puzzle, because the path that failed is none that anybody wrote. */
static int cannot(const struct sockaddr_un *a, const char *state_dir, int errnum, const char *what, struct err *e)
{
    if (reached_by_proc(a, state_dir) && errnum == ENOENT)
        return err_set(e, E_DISK,
                       "the name of the state directory %s is too long for a socket in it; set state_dir to one of at "
                       "most %zu bytes",
                       state_dir, sizeof(a->sun_path) - sizeof("/" SOCKET_NAME));
    return err_sys(e, E_DISK, errnum, "the socket %s/" SOCKET_NAME " %s", state_dir, what);
}

static int new_socket(int *fd_out, struct err *e)
{
    *fd_out = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return *fd_out >= 0 ? 0 : err_sys(e, E_NOMEM, errno, "no descriptor for the control socket");
}

int control_socket_listen(int dir, const char *state_dir, struct lock *lock, int *fd_out, struct err *e)
{
    struct sockaddr_un a = address_of(dir, state_dir);
    int fd = -1;

    *fd_out = -1;
    if (lock_take(lock, dir, LOCK_NAME, false, e) != 0) {
        if (e->code == E_LOCKED)
            err_set(e, E_LOCKED, "a daemon is running already for the state directory %s", state_dir);
        return -1;
    }
    if (new_socket(&fd, e) != 0)
        goto fail;
    if (unlinkat(dir, SOCKET_NAME, 0) != 0 && errno != ENOENT) {
        (void)cannot(&a, state_dir, errno, "cannot be replaced", e);
        goto fail;
    }
    /* Nobody can connect before listen(), so that there is no moment in which the mode is too open. */
    if (bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 || fchmodat(dir, SOCKET_NAME, 0600, 0) != 0 ||
        listen(fd, BACKLOG) != 0) {
        (void)cannot(&a, state_dir, errno, "cannot be made", e);
        goto fail;
    }
    *fd_out = fd;
    return 0;
fail:
    io_close(&fd);
    lock_release(lock);
    return -1;
}

void control_socket_remove(int dir)
{
    /* A stale one is replaced by the next daemon. */
    (void)unlinkat(dir, SOCKET_NAME, 0);
}

bool control_socket_trusts(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && (peer.uid == geteuid() || peer.uid == 0);
}

static int daemon_pid(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? (int)peer.pid : 0;
}

int control_socket_connect(const char *state_dir, int *fd_out, int *pid_out, struct err *e)
{
    int dir = open(state_dir, O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -1, rc = -1;
    struct sockaddr_un a = address_of(dir, state_dir);

    *fd_out = -1;
    *pid_out = 0;
    if (dir < 0) {
        rc = errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(e, E_DISK, errno, "the state directory %s", state_dir);
        goto out;
    }
    if (new_socket(&fd, e) != 0)
        goto out;
    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0) {
        *fd_out = fd;
        *pid_out = daemon_pid(fd);
        fd = -1;
        rc = 0;
    } else if (errno == ENOENT || errno == ECONNREFUSED) {
        rc = 0;
    } else {
        rc = errno == EAGAIN ? err_set(e, E_BUSY, "the daemon is too busy to answer; try again in a while")
                             : cannot(&a, state_dir, errno, "cannot be reached", e);
    }
out:
    io_close(&fd);
    io_close(&dir);
    return rc;
}
