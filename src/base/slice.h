/* SPDX-License-Identifier: MIT
 * slice.h - a borrowed view of bytes: pointer and length, no NUL at the end, any byte inside.
 *
 * A slice owns nothing. One that points into a stream's buffer dies at the next read from that stream, one that points
 * into a struct buf at the next append. Literals: SLICE("OK"). All comparisons are of bytes; the `i` ones fold ASCII
 * case only, whatever the locale.
 */
#ifndef MAILHAUL_BASE_SLICE_H
#define MAILHAUL_BASE_SLICE_H

#include "base/base.h"

struct slice {
    const char *p;
    size_t n;
};

#define SLICE(lit)   ((struct slice){ (lit), sizeof(lit) - 1 })
#define SLICE_NONE   ((struct slice){ NULL, 0 })
/* For printf: printf("%.*s", SLICE_ARG(s)). */
#define SLICE_ARG(s) (int)size_min((s).n, INT32_MAX), (s).n ? (s).p : ""

static inline struct slice slice_make(const char *p, size_t n)
{
    return (struct slice){ p, n };
}

static inline struct slice slice_str(const char *s)
{
    return s ? (struct slice){ s, strlen(s) } : SLICE_NONE;
}

static inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static inline bool ascii_isdigit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool slice_eq(struct slice a, struct slice b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool slice_ieq(struct slice a, struct slice b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++) {
        if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
            return false;
    }
    return true;
}

static inline bool slice_starts(struct slice s, struct slice prefix)
{
    return s.n >= prefix.n && slice_eq(slice_make(s.p, prefix.n), prefix);
}

static inline bool slice_istarts(struct slice s, struct slice prefix)
{
    return s.n >= prefix.n && slice_ieq(slice_make(s.p, prefix.n), prefix);
}

/* What is left behind the first `n` bytes. `n` must not exceed s.n. */
static inline struct slice slice_from(struct slice s, size_t n)
{
    /* NULL + 0 is not defined, and an empty slice may be NULL. */
    return n == 0 ? s : (struct slice){ s.p + n, s.n - n };
}

static inline struct slice slice_trim(struct slice s)
{
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = slice_from(s, 1);
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t' || s.p[s.n - 1] == '\r' || s.p[s.n - 1] == '\n'))
        s.n--;
    return s;
}

/* A NUL-terminated copy that the caller frees; NULL when there is no memory. Bytes after an inner NUL are kept but a
 * C string function will not see them: check with slice_has_nul() where that matters. */
static inline char *slice_dup(struct slice s)
{
    char *p = malloc(s.n + 1);
    if (p != NULL) {
        if (s.n > 0)
            memcpy(p, s.p, s.n);
        p[s.n] = '\0';
    }
    return p;
}

static inline bool slice_has_nul(struct slice s)
{
    return s.n > 0 && memchr(s.p, '\0', s.n) != NULL;
}

#endif
