/* SPDX-License-Identifier: MIT */
#include "base/base.h"

#include "daemon/control_client.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/stop.h"
#include "daemon/control_socket.h"

/* A daemon that works on a fetch says so four times a second. Five seconds are its own time to stop. */
enum { SILENCE_MS = 30000, EXIT_MS = 20000, LINE_MOST = 1024 * 1024, READ_MOST = 64 * 1024 };

struct control_client {
    int fd, pid;
    struct buf in;
    size_t taken; /* of in: lines that were given */
};

/* Until `fd` is ready for `events`. */
static int await(int fd, short events, int64_t until_ms, struct err *e)
{
    struct pollfd fds[2] = { { .fd = fd, .events = events }, { .fd = stop_fd(), .events = POLLIN } };

    for (;;) {
        int64_t left = until_ms - clock_mono_ms();

        if (left <= 0)
            return err_set(e, E_TIMEOUT, "the daemon does not answer");
        if (poll(fds, ARRAY_LEN(fds), (int)left) < 0 && errno != EINTR)
            return err_sys(e, E_NOMEM, errno, "the daemon's answer cannot be waited for");
        if (stop_requested() != 0)
            return err_set(e, E_STOPPED, "stopped");
        if (fds[0].revents != 0)
            return 0;
    }
}

static int send_all(struct control_client *c, struct slice bytes, struct err *e)
{
    while (bytes.n > 0) {
        ssize_t done = send(c->fd, bytes.p, bytes.n, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (done > 0)
            bytes = slice_from(bytes, (size_t)done);
        else if (errno != EAGAIN && errno != EINTR)
            return err_sys(e, E_NET, errno, "the daemon hung up");
        else if (await(c->fd, POLLOUT, clock_mono_ms() + SILENCE_MS, e) != 0)
            return -1;
    }
    return 0;
}

int control_client_ask(const char *state_dir, const struct control_request *r, struct control_client **out,
                       struct err *e)
{
    struct buf line = BUF_INIT(CONTROL_REQUEST_MAX);
    struct control_client *c = calloc(1, sizeof(*c));
    int rc = -1;

    *out = NULL;
    if (c == NULL)
        return err_nomem(e);
    c->fd = -1;
    c->in = BUF_INIT(LINE_MOST);
    if (control_socket_connect(state_dir, &c->fd, &c->pid, e) != 0)
        goto out;
    rc = 0;
    if (c->fd < 0)
        goto out;
    if (control_request_write(r, &line) != 0)
        rc = err_nomem(e);
    else
        rc = send_all(c, buf_slice(&line), e);
    if (rc == 0) {
        *out = c;
        c = NULL;
    }
out:
    control_client_close(&c);
    buf_release(&line);
    return rc;
}

static int read_more(struct control_client *c, struct err *e)
{
    ssize_t got;

    if (c->taken > 0) {
        memmove(c->in.p, c->in.p + c->taken, c->in.len - c->taken);
        buf_truncate(&c->in, c->in.len - c->taken);
        c->taken = 0;
    }
    if (await(c->fd, POLLIN, clock_mono_ms() + SILENCE_MS, e) != 0)
        return -1;
    if (buf_reserve(&c->in, size_min(READ_MOST, c->in.max - c->in.len)) != 0)
        return err_nomem(e);
    got = recv(c->fd, c->in.p + c->in.len, size_min(READ_MOST, c->in.max - c->in.len), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (got < 0)
        return err_sys(e, E_NET, errno, "the daemon hung up");
    if (got == 0)
        return c->in.len < c->in.max ? err_set(e, E_NET, "the daemon hung up")
                                     : err_set(e, E_PROTO, "the daemon's answer has no end");
    buf_grew(&c->in, (size_t)got);
    return 0;
}

int control_client_read(struct control_client *c, json_t **out, struct err *e)
{
    struct slice left;
    const char *end;

    for (;;) {
        left = slice_from(buf_slice(&c->in), c->taken);
        end = left.n > 0 ? memchr(left.p, '\n', left.n) : NULL;
        if (end != NULL)
            break;
        if (read_more(c, e) != 0)
            return -1;
    }
    left.n = (size_t)(end - left.p);
    c->taken += left.n + 1;
    *out = json_loadb(left.p, left.n, 0, NULL);
    if (json_is_object(*out))
        return 0;
    json_decref(*out);
    *out = NULL;
    return err_set(e, E_PROTO, "what answers on the daemon's socket is no mailhaul");
}

int control_client_await_exit(struct control_client *c, struct err *e)
{
    int64_t until = clock_mono_ms() + EXIT_MS;
    char bytes[256];
    int pidfd = c->pid > 0 ? (int)syscall(SYS_pidfd_open, c->pid, 0) : -1;
    int rc = 0;

    if (pidfd >= 0) {
        rc = await(pidfd, POLLIN, until, e);
        io_close(&pidfd);
        return rc;
    }
    /* An older kernel, or another name space: the end of the connection is the nearest thing. */
    while ((rc = await(c->fd, POLLIN, until, e)) == 0 && recv(c->fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
        continue;
    return rc;
}

void control_client_close(struct control_client **cp)
{
    struct control_client *c = *cp;

    if (c == NULL)
        return;
    io_close(&c->fd);
    buf_release(&c->in);
    free(c);
    *cp = NULL;
}
