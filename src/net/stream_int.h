/* SPDX-License-Identifier: MIT
 * stream_int.h - what the layers of a stream are to each other, inside src/net.
 *
 * No layer ever waits: it does what can be done now and says what it would have to wait for. stream.c alone polls, so
 * the rules of time (stream.h) and the wish to stop stand in one place. Layers are stacked by `below`; each calls the
 * one below, the top is called by stream.c, the bottom owns the descriptor.
 */
#ifndef MAILHAUL_NET_STREAM_INT_H
#define MAILHAUL_NET_STREAM_INT_H

#include "base/buf.h"
#include "net/dial.h"
#include "net/stream.h"

#include <sys/types.h>

enum {
#ifdef MAILHAUL_SMALL
    STREAM_READ = 16,
    STREAM_WRITE = 16,
#else
    /* One read call, and the read buffer of a stream in full flow: four TLS records. */
    STREAM_READ = 64 * 1024,
    /* What is collected before it is sent: one TLS record. */
    STREAM_WRITE = 16 * 1024,
#endif
    STREAM_NAME_MAX = 256,
    /* What a layer takes from the one below without a byte for the one above: a peer that sends nothing but
     * housekeeping (TLS tickets, empty blocks of deflate), however fast, would otherwise hold us inside the layer,
     * where no time and no wish to stop is looked at. */
    STREAM_BARREN_MAX = 256 * 1024,
};

enum layer_result {
    LAYER_OK,         /* at least one byte went                                             */
    LAYER_END,        /* reading only: the peer has said all, in good order                 */
    LAYER_WANT_READ,  /* nothing went: call again when the descriptor is readable           */
    LAYER_WANT_WRITE, /* the same, writable                                                 */
    LAYER_FAILED      /* *e is filled; the layer can only be closed                         */
};

struct layer;

struct layer_ops {
    /* At most `n` (> 0) bytes to `p`. *got_out is set if LAYER_OK. */
    enum layer_result (*read)(struct layer *l, char *p, size_t n, size_t *got_out, struct err *e);
    /* At least one of the `n` (> 0) bytes. Called again with the same bytes in front after LAYER_WANT_*. */
    enum layer_result (*write)(struct layer *l, const char *p, size_t n, size_t *done_out, struct err *e);
    /* Passes on what the layer holds back; LAYER_OK when nothing is left. NULL: it holds nothing back. */
    enum layer_result (*flush)(struct layer *l, struct err *e);
    /* Says goodbye if it can without waiting, and frees the layer, not those below. */
    void (*close)(struct layer *l);
};

struct layer {
    const struct layer_ops *ops;
    struct layer *below; /* NULL at the bottom                          */
    int fd;              /* at the bottom: what to poll; -1: never waits */
    uint64_t bytes_in;   /* at the bottom: over the wire so far         */
    uint64_t bytes_out;
};

struct stream {
    struct layer *top;
    struct layer *bottom;
    struct layer *tls; /* NULL: none */
    char name[STREAM_NAME_MAX];
    struct err broken; /* the error that ended it; E_NONE: none */
    bool ended;        /* the peer will send no more */

    char *in; /* owned; unread bytes are in[in_start..in_end); NULL: nothing unread */
    size_t in_start, in_end, in_cap;
    size_t scanned; /* of the unread bytes, known to hold no LF */
    struct buf out;
    bool out_secret;   /* something in `out` must be overwritten once sent */
    struct buf traced; /* a line of ours, not yet complete, for the log */

    uint64_t expected;    /* stream_expect(), less what was consumed */
    int lowat;            /* SO_RCVLOWAT of the socket; 0: never set */
    unsigned bulk_misses; /* waits for a good part that ended without it */

    int64_t timeout_ms;
    unsigned factor;
    bool patient;      /* stream_patient() */
    int64_t waited_ms; /* in this exchange: only time spent waiting counts */
    uint64_t mark;     /* bytes over the wire when it began */
};

/* Takes `bottom` over, also when it fails. `name` stands in front of error texts. */
MUST_CHECK int stream_create(struct layer *bottom, const char *name, int64_t timeout_ms, struct stream **out,
                             struct err *e);

/* socket.c: a connected socket, made non-blocking and owned from here on, also on failure. `child`: the tunnel's
 * process behind it, 0 for none. */
MUST_CHECK int socket_layer(int fd, pid_t child, struct layer **out, struct err *e);

/* memory.c */
MUST_CHECK int memory_layer(struct slice input, size_t chunk, struct buf *sent, struct layer **out, struct err *e);

/* deflate.c: `buffered` is compressed input that was read already; copied. */
MUST_CHECK int deflate_layer(struct layer *below, struct slice buffered, struct layer **out, struct err *e);

/* tls.c. The layer must be taken through its handshake before it is used: tls_handshake() again and again until
 * LAYER_OK, when the peer's certificate has been checked. `settings` is borrowed until then. */
MUST_CHECK int tls_layer(struct layer *below, const struct tls_settings *settings, struct layer **out, struct err *e);
enum layer_result tls_handshake(struct layer *l, struct err *e);
const struct tls_facts *tls_layer_facts(const struct layer *l);
/* Leaves `out` as it is when there is none. */
void tls_layer_binding(const struct layer *l, struct tls_binding *out);

/* socks5.c: asks the proxy at the other end of `s` for a connection to host and port. E_NET in the proxy's sense,
 * E_AUTH, E_PROTO. */
MUST_CHECK int socks5_connect(struct stream *s, const struct dial_options *options, struct err *e);

/* tunnel.c: starts the command; *fd_out is our end of its standard input and output. */
MUST_CHECK int tunnel_start(char *const *argv, int *fd_out, pid_t *child_out, struct err *e);
/* Ends the command and what it started, with patience first. Its descriptor is closed already. */
void tunnel_end(pid_t child);

#endif
