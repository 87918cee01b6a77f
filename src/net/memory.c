/* SPDX-License-Identifier: MIT */
#include "net/stream_int.h"

struct memory_layer {
    struct layer layer;
    char *input; /* owned */
    size_t n, at, chunk;
    struct buf *sent;
};

static enum layer_result memory_read(struct layer *l, char *p, size_t n, size_t *got_out, struct err *e)
{
    struct memory_layer *m = (struct memory_layer *)l;

    (void)e;
    n = size_min(n, m->n - m->at);
    if (m->chunk > 0)
        n = size_min(n, m->chunk);
    if (n == 0)
        return LAYER_END;
    memcpy(p, m->input + m->at, n);
    m->at += n;
    l->bytes_in += n;
    *got_out = n;
    return LAYER_OK;
}

static enum layer_result memory_write(struct layer *l, const char *p, size_t n, size_t *done_out, struct err *e)
{
    struct memory_layer *m = (struct memory_layer *)l;

    if (m->sent != NULL && buf_put(m->sent, p, n) != 0) {
        err_nomem(e);
        return LAYER_FAILED;
    }
    l->bytes_out += n;
    *done_out = n;
    return LAYER_OK;
}

static void memory_close(struct layer *l)
{
    struct memory_layer *m = (struct memory_layer *)l;

    free(m->input);
    free(m);
}

static const struct layer_ops memory_ops = { .read = memory_read, .write = memory_write, .close = memory_close };

int memory_layer(struct slice input, size_t chunk, struct buf *sent, struct layer **out, struct err *e)
{
    struct memory_layer *m = calloc(1, sizeof(*m));

    if (m == NULL || (m->input = slice_dup(input)) == NULL) {
        free(m);
        return err_nomem(e);
    }
    m->layer = (struct layer){ .ops = &memory_ops, .fd = -1 };
    m->n = input.n;
    m->chunk = chunk;
    m->sent = sent;
    *out = &m->layer;
    return 0;
}
