/* SPDX-License-Identifier: MIT */
#include "net/stream_int.h"

#include <fcntl.h>
#include <sys/socket.h>

#include "base/io.h"

struct socket_layer {
    struct layer layer;
    pid_t child;
};

static enum layer_result failed(const char *what, int errnum, struct err *e)
{
    if (errnum == ETIMEDOUT)
        err_set(e, E_TIMEOUT, "the network no longer reaches the server");
    else
        err_sys(e, E_NET, errnum, "%s", what);
    return LAYER_FAILED;
}

static enum layer_result socket_read(struct layer *l, char *p, size_t n, size_t *got_out, struct err *e)
{
    ssize_t got;

    do {
        got = recv(l->fd, p, n, 0);
    } while (got < 0 && errno == EINTR);
    if (got > 0) {
        l->bytes_in += (size_t)got;
        *got_out = (size_t)got;
        return LAYER_OK;
    }
    if (got == 0)
        return LAYER_END;
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return LAYER_WANT_READ;
    return failed("the connection was cut", errno, e);
}

static enum layer_result socket_write(struct layer *l, const char *p, size_t n, size_t *done_out, struct err *e)
{
    ssize_t done;

    do {
        done = send(l->fd, p, n, MSG_NOSIGNAL);
    } while (done < 0 && errno == EINTR);
    if (done >= 0) {
        l->bytes_out += (size_t)done;
        *done_out = (size_t)done;
        return LAYER_OK;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return LAYER_WANT_WRITE;
    return failed("the connection was cut while sending", errno, e);
}

static void socket_close(struct layer *l)
{
    struct socket_layer *s = (struct socket_layer *)l;

    io_close(&l->fd);
    if (s->child > 0)
        tunnel_end(s->child);
    free(s);
}

static const struct layer_ops socket_ops = { .read = socket_read, .write = socket_write, .close = socket_close };

int socket_layer(int fd, pid_t child, struct layer **out, struct err *e)
{
    struct socket_layer *s = calloc(1, sizeof(*s));
    int flags = fcntl(fd, F_GETFL);

    if (s == NULL || flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
        free(s);
        io_close(&fd);
        if (child > 0)
            tunnel_end(child);
        return err_nomem(e);
    }
    s->layer = (struct layer){ .ops = &socket_ops, .fd = fd };
    s->child = child;
    *out = &s->layer;
    return 0;
}
