/* SPDX-License-Identifier: MIT */
#include "net/stream_int.h"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"

extern char **environ;

/* Own process group, so that all it started can be ended; the signals as a program expects to find them. */
static int spawn(char *const *argv, int fd, pid_t *child_out)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none, defaults;
    int rc;

    sigemptyset(&none);
    sigfillset(&defaults);
    if (posix_spawn_file_actions_init(&actions) != 0)
        return ENOMEM;
    if (posix_spawnattr_init(&attr) != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return ENOMEM;
    }
    if ((rc = posix_spawn_file_actions_adddup2(&actions, fd, STDIN_FILENO)) == 0 &&
        (rc = posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO)) == 0 &&
        (rc = posix_spawnattr_setpgroup(&attr, 0)) == 0 && (rc = posix_spawnattr_setsigmask(&attr, &none)) == 0 &&
        (rc = posix_spawnattr_setsigdefault(&attr, &defaults)) == 0 &&
        (rc = posix_spawnattr_setflags(&attr,
                                       POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)) == 0)
        rc = posix_spawnp(child_out, argv[0], &actions, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    return rc;
}

int tunnel_start(char *const *argv, int *fd_out, pid_t *child_out, struct err *e)
{
    int ends[2], rc;

    /* One socket pair rather than two pipes: then a tunnel is a socket like any other. */
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return err_sys(e, E_NET, errno, "no descriptors for the tunnel");
    rc = spawn(argv, ends[1], child_out);
    io_close(&ends[1]);
    if (rc != 0) {
        io_close(&ends[0]);
        return err_sys(e, E_CONFIG, rc, "the tunnel command %s cannot be started", argv[0]);
    }
    *fd_out = ends[0];
    return 0;
}

/* True once the command has ended; it is not reaped yet, so its process group cannot be anybody else's. */
static bool ended_within(pid_t child, int ms)
{
    enum { STEP_MS = 5 };
    siginfo_t info;

    for (;;) {
        info.si_pid = 0;
        if (waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT | WNOHANG) != 0 && errno != EINTR)
            return true;
        if (info.si_pid == child)
            return true;
        if (ms <= 0)
            return false;
        poll(NULL, 0, STEP_MS);
        ms -= STEP_MS;
    }
}

void tunnel_end(pid_t child)
{
    enum { GRACE_MS = 500 };

    if (!ended_within(child, GRACE_MS)) {
        kill(-child, SIGTERM);
        ended_within(child, GRACE_MS);
    }
    kill(-child, SIGKILL);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        continue;
}
