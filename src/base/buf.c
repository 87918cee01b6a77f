/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include <stdio.h>

enum { BUF_FIRST = 64 };

void buf_init(struct buf *b, size_t max)
{
    *b = BUF_INIT(max);
}

void buf_release(struct buf *b)
{
    free(b->p);
    *b = BUF_INIT(b->max);
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    if (b->p != NULL)
        b->p[0] = '\0';
}

void buf_wipe(struct buf *b)
{
    if (b->p != NULL)
        explicit_bzero(b->p, b->cap);
    buf_clear(b);
}

void buf_truncate(struct buf *b, size_t len)
{
    b->len = len;
    if (b->p != NULL)
        b->p[len] = '\0';
}

bool buf_full(const struct buf *b, size_t n)
{
    return n > b->max - b->len;
}

int buf_reserve(struct buf *b, size_t n)
{
    size_t cap = b->cap > 0 ? b->cap : BUF_FIRST;
    char *p;

    if (buf_full(b, n))
        return -1;
    if (b->p != NULL && b->len + n < b->cap)
        return 0;
    while (cap <= b->len + n)
        cap = cap > SIZE_MAX / 2 ? SIZE_MAX : cap * 2;
    if (cap > b->max + 1)
        cap = b->max + 1;
    p = realloc(b->p, cap);
    if (p == NULL)
        return -1;
    b->p = p;
    b->cap = cap;
    b->p[b->len] = '\0';
    return 0;
}

void buf_grew(struct buf *b, size_t n)
{
    b->len += n;
    b->p[b->len] = '\0';
}

int buf_put(struct buf *b, const void *bytes, size_t n)
{
    if (buf_reserve(b, n) != 0)
        return -1;
    if (n > 0)
        memcpy(b->p + b->len, bytes, n);
    buf_grew(b, n);
    return 0;
}

int buf_put_slice(struct buf *b, struct slice s)
{
    return buf_put(b, s.p, s.n);
}

int buf_put_str(struct buf *b, const char *s)
{
    return buf_put(b, s, strlen(s));
}

int buf_put_char(struct buf *b, char c)
{
    return buf_put(b, &c, 1);
}

int buf_vputf(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;
    int n;

    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n < 0 || buf_reserve(b, (size_t)n) != 0)
        return -1;
    vsnprintf(b->p + b->len, (size_t)n + 1, fmt, ap);
    b->len += (size_t)n;
    return 0;
}

int buf_putf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    int rc;

    va_start(ap, fmt);
    rc = buf_vputf(b, fmt, ap);
    va_end(ap);
    return rc;
}

struct slice buf_slice(const struct buf *b)
{
    return slice_make(b->p, b->len);
}

const char *buf_cstr(const struct buf *b)
{
    return b->p != NULL ? b->p : "";
}
