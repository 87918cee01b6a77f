/* SPDX-License-Identifier: MIT
 * conn.h - the daemon's side of a connection to a local client that may be slow, silent or hostile: never waited for,
 * bounded in bytes both ways and in time.
 *
 * Calling sequence: conn_open(); conn_put() whenever there is something to say; conn_close(). Nothing is written or
 * closed by conn_put(): the loop writes when the client takes it. The callbacks may call conn_close() and free what the
 * conn is part of.
 * Thread: the loop's.
 */
#ifndef MAILHAUL_DAEMON_CONN_H
#define MAILHAUL_DAEMON_CONN_H

#include "base/buf.h"
#include "daemon/loop.h"

/* What a client may take to ask, and to take in something of an answer. */
enum { CONN_ASK_MS = 5000, CONN_TAKE_MS = 10000 };

struct conn_ops {
    void (*received)(void *owner); /* there is more in conn.in, which may be full (len == max) */
    void (*drained)(void *owner);  /* all that was put is with the client */
    void (*gone)(void *owner);     /* it hung up, or took too long */
};

struct conn {
    struct loop *loop;
    struct loop_watch watch;
    struct loop_timer timer;
    const struct conn_ops *ops;
    void *owner;
    struct buf in, out;
    size_t sent; /* of out */
    bool deaf;   /* what it says does not matter any more */
};

/* Takes over `fd`, closed also on failure. A first `received` is due within CONN_ASK_MS. */
MUST_CHECK int conn_open(struct conn *c, struct loop *loop, int fd, const struct conn_ops *ops, void *owner,
                         size_t in_max, size_t out_max, struct err *e);
void conn_close(struct conn *c);
/* The request is complete: no more is read, and from here on only the time to take an answer counts. */
void conn_asked(struct conn *c);
/* -1: it is too far behind (or there is no memory), and will never hear the rest: close it. */
MUST_CHECK int conn_put(struct conn *c, struct slice bytes);
/* What it has not taken yet. */
size_t conn_behind(const struct conn *c);

/* A socket that listens: `accepted` gets each new connection, which is non-blocking, and owns it. Where descriptors ran
 * out it rests for a while. */
struct listener {
    struct loop *loop;
    struct loop_watch watch;
    struct loop_timer timer;
    void (*accepted)(void *ctx, int fd);
    void *ctx;
};
/* Takes over `fd`, also on failure. */
MUST_CHECK int listener_open(struct listener *l, struct loop *loop, int fd, void (*accepted)(void *ctx, int fd),
                             void *ctx, struct err *e);
/* One that was not opened (fd -1) is fine. */
void listener_close(struct listener *l);
#define LISTENER_INIT ((struct listener){ .watch.fd = -1 })

#endif
