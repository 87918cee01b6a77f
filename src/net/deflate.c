/* SPDX-License-Identifier: MIT */
#include "net/stream_int.h"

#include <zlib.h>

enum {
    IN_SIZE = 32 * 1024,
    OUT_SIZE = 8 * 1024,
    /* What we send is commands: a small window and little memory do. */
    SEND_WINDOW = -12,
    SEND_MEMORY = 5,
    /* RFC 4978: raw deflate; the peer may use the whole window. */
    RECEIVE_WINDOW = -15,
};

struct deflate_layer {
    struct layer layer;
    z_stream rx, tx;
    bool rx_ready, tx_ready;
    size_t barren; /* compressed bytes since the last that gave any plain ones */
    bool ended;    /* the peer closed its compressed data */
    bool dirty;    /* written since the last flush */
    char *in;      /* owned, in_cap bytes; rx.next_in points into it */
    size_t in_cap;
    size_t out_at, out_n; /* compressed and not yet passed down: out[out_at..out_n) */
    char out[OUT_SIZE];
};

static enum layer_result inflate_some(struct deflate_layer *d, char *p, size_t n, size_t *got_out, struct err *e)
{
    int rc;

    d->rx.next_out = (Bytef *)p;
    d->rx.avail_out = (uInt)n;
    rc = inflate(&d->rx, Z_SYNC_FLUSH);
    *got_out = n - d->rx.avail_out;
    if (rc == Z_STREAM_END) {
        d->ended = true;
        return *got_out > 0 ? LAYER_OK : LAYER_END;
    }
    if (rc == Z_OK || rc == Z_BUF_ERROR)
        return *got_out > 0 ? LAYER_OK : LAYER_WANT_READ;
    if (rc == Z_MEM_ERROR)
        err_nomem(e);
    else
        err_set(e, E_PROTO, "what the server compressed cannot be decompressed");
    return LAYER_FAILED;
}

static enum layer_result deflate_read(struct layer *l, char *p, size_t n, size_t *got_out, struct err *e)
{
    struct deflate_layer *d = (struct deflate_layer *)l;

    n = size_min(n, UINT32_MAX);
    for (;;) {
        enum layer_result r = d->ended ? LAYER_END : inflate_some(d, p, n, got_out, e);
        size_t got = 0;

        if (r == LAYER_OK)
            d->barren = 0;
        if (r != LAYER_WANT_READ)
            return r;
        if (d->barren > STREAM_BARREN_MAX) {
            err_set(e, E_PROTO, "the server sends compressed data with nothing in it");
            return LAYER_FAILED;
        }
        r = l->below->ops->read(l->below, d->in, d->in_cap, &got, e);
        if (r != LAYER_OK)
            return r;
        d->rx.next_in = (Bytef *)d->in;
        d->rx.avail_in = (uInt)got;
        d->barren += got;
    }
}

/* Passes compressed bytes down until none is left. */
static enum layer_result push_down(struct deflate_layer *d, struct err *e)
{
    struct layer *below = d->layer.below;

    while (d->out_at < d->out_n) {
        size_t done = 0;
        enum layer_result r = below->ops->write(below, d->out + d->out_at, d->out_n - d->out_at, &done, e);

        if (r != LAYER_OK)
            return r;
        d->out_at += done;
    }
    d->out_at = d->out_n = 0;
    return LAYER_OK;
}

/* One round of compression into the empty `out`; true while zlib has more to give. */
static bool deflate_some(struct deflate_layer *d, int mode)
{
    d->tx.next_out = (Bytef *)d->out;
    d->tx.avail_out = OUT_SIZE;
    deflate(&d->tx, mode);
    d->out_n = OUT_SIZE - d->tx.avail_out;
    return d->tx.avail_out == 0;
}

static enum layer_result deflate_write(struct layer *l, const char *p, size_t n, size_t *done_out, struct err *e)
{
    struct deflate_layer *d = (struct deflate_layer *)l;
    enum layer_result r;

    n = size_min(n, UINT32_MAX);
    *done_out = 0;
    d->dirty = true;
    while (*done_out == 0) {
        if ((r = push_down(d, e)) != LAYER_OK)
            return r;
        d->tx.next_in = (z_const Bytef *)(uintptr_t)p;
        d->tx.avail_in = (uInt)n;
        deflate_some(d, Z_NO_FLUSH);
        *done_out = n - d->tx.avail_in;
        d->tx.next_in = NULL;
        d->tx.avail_in = 0;
    }
    return LAYER_OK;
}

static enum layer_result deflate_flush(struct layer *l, struct err *e)
{
    struct deflate_layer *d = (struct deflate_layer *)l;
    enum layer_result r;

    while ((r = push_down(d, e)) == LAYER_OK && d->dirty)
        d->dirty = deflate_some(d, Z_SYNC_FLUSH);
    if (r == LAYER_OK && l->below->ops->flush != NULL)
        r = l->below->ops->flush(l->below, e);
    return r;
}

static void deflate_close(struct layer *l)
{
    struct deflate_layer *d = (struct deflate_layer *)l;

    if (d->rx_ready)
        inflateEnd(&d->rx);
    if (d->tx_ready)
        deflateEnd(&d->tx);
    explicit_bzero(d->out, sizeof(d->out));
    free(d->in);
    free(d);
}

static const struct layer_ops deflate_ops = {
    .read = deflate_read, .write = deflate_write, .flush = deflate_flush, .close = deflate_close
};

int deflate_layer(struct layer *below, struct slice buffered, struct layer **out, struct err *e)
{
    struct deflate_layer *d = calloc(1, sizeof(*d));

    if (d == NULL)
        return err_nomem(e);
    d->layer = (struct layer){ .ops = &deflate_ops, .below = below, .fd = -1 };
    d->in_cap = buffered.n > IN_SIZE ? buffered.n : IN_SIZE;
    d->in = malloc(d->in_cap);
    d->rx_ready = d->in != NULL && inflateInit2(&d->rx, RECEIVE_WINDOW) == Z_OK;
    d->tx_ready = d->rx_ready && deflateInit2(&d->tx, Z_DEFAULT_COMPRESSION, Z_DEFLATED, SEND_WINDOW, SEND_MEMORY,
                                              Z_DEFAULT_STRATEGY) == Z_OK;
    if (!d->tx_ready) {
        deflate_close(&d->layer);
        return err_nomem(e);
    }
    if (buffered.n > 0)
        memcpy(d->in, buffered.p, buffered.n);
    d->rx.next_in = (Bytef *)d->in;
    d->rx.avail_in = (uInt)buffered.n;
    *out = &d->layer;
    return 0;
}
