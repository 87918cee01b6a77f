/* SPDX-License-Identifier: MIT
 * buf.h - a growable byte buffer that is born with a maximum.
 *
 * Invariants: len <= max; once anything was put, p[len] is NUL (buf_cstr() works on an empty one too). An append that
 * would pass the maximum, or that finds no memory, returns -1 and leaves the contents as they were; buf_full() tells
 * which of the two it was.
 *
 * Calling sequence: struct buf b; buf_init(&b, LIMIT_X); buf_put...(); buf_clear() to use it again; buf_release().
 * buf_release() may be called twice, and on a buffer that was only initialised.
 */
#ifndef MAILHAUL_BASE_BUF_H
#define MAILHAUL_BASE_BUF_H

#include <stdarg.h>

#include "base/slice.h"

struct buf {
    char *p; /* owned; NULL until something was put */
    size_t len;
    size_t cap;
    size_t max;
};

#define BUF_INIT(maximum) ((struct buf){ .max = (maximum) })

void buf_init(struct buf *b, size_t max);
void buf_release(struct buf *b);
/* Forgets the contents, keeps the memory. */
void buf_clear(struct buf *b);
/* The same after overwriting every byte: for buffers that held a secret. */
void buf_wipe(struct buf *b);
/* Forgets all but the first `len` bytes; `len` must not exceed b->len. Undoes the appends of a function that failed. */
void buf_truncate(struct buf *b, size_t len);

/* Room for `n` more bytes, to be written at b->p + b->len and then counted with buf_grew(). */
MUST_CHECK int buf_reserve(struct buf *b, size_t n);
void buf_grew(struct buf *b, size_t n);

MUST_CHECK int buf_put(struct buf *b, const void *bytes, size_t n);
MUST_CHECK int buf_put_slice(struct buf *b, struct slice s);
MUST_CHECK int buf_put_str(struct buf *b, const char *s);
MUST_CHECK int buf_put_char(struct buf *b, char c);
MUST_CHECK int buf_putf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
MUST_CHECK int buf_vputf(struct buf *b, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);

/* True when the maximum, not the memory, would stop an append of `n` bytes. */
bool buf_full(const struct buf *b, size_t n);
struct slice buf_slice(const struct buf *b);
/* Never NULL. */
const char *buf_cstr(const struct buf *b);

#endif
