/* SPDX-License-Identifier: MIT */
#include "net/stream_int.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/io.h"

int tunnel_start(char *const *argv, int *fd_out, pid_t *child_out, struct err *e)
{
    int ends[2], rc;

    /* One socket pair rather than two pipes: then a tunnel is a socket like any other. */
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return err_sys(e, E_NET, errno, "no descriptors for the tunnel");
    rc = child_spawn(argv, NULL, (int[]){ ends[1], ends[1], -1 }, child_out);
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
