/* SPDX-License-Identifier: MIT
 * unit.h - what the unit tests share: cmocka with the headers it wants, checks that name the case, and chunks.
 *
 * Table cases: CASE("%s, chunks of %zu", c->name, size) says what is being tried; a CHECK... that fails prints it, the
 * two values, and ends the test. Static tables may use SLICE("...") with any byte inside.
 *
 * Every chunk size: each chunk is copied to memory of exactly its own size, so that a sanitizer sees a read past it.
 *     EVERY_CHUNK_SIZE(size, whole.n) {
 *         struct chunks c = CHUNKS_INIT(whole, size);
 *         struct slice in;
 *         while (chunks_next(&c, &in)) ... feed `in` ...          (it dies at the next call)
 *     }
 */
#ifndef MAILHAUL_UNIT_H
#define MAILHAUL_UNIT_H

#include "base/slice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

static char unit_case[300];

#define CASE(...)              ((void)snprintf(unit_case, sizeof(unit_case), __VA_ARGS__))
#define CHECK(that)            unit_check((that), #that, __FILE__, __LINE__)
/* Integers, enums and booleans; both are shown as signed numbers. */
#define CHECK_INT(got, want)   unit_check_int((int64_t)(got), (int64_t)(want), #got, __FILE__, __LINE__)
/* Bytes, whatever they are. */
#define CHECK_SLICE(got, want) unit_check_slice((got), (want), #got, __FILE__, __LINE__)

/* Bytes of a message that fails, escaped and cut to what a person reads. */
static inline void unit_show(const char *what, struct slice s)
{
    char line[1000];
    size_t at = 0;

    for (size_t i = 0; i < s.n && at + 8 < sizeof(line); i++) {
        unsigned char c = (unsigned char)s.p[i];
        at += (size_t)snprintf(line + at, sizeof(line) - at, c >= 0x20 && c < 0x7f ? "%c" : "\\x%02x", c);
    }
    line[at] = '\0';
    print_error("    %s (%zu bytes): %s\n", what, s.n, line);
}

static inline void unit_check(bool ok, const char *expr, const char *file, int line)
{
    if (ok)
        return;
    print_error("case: %s\n    not so: %s\n", unit_case, expr);
    _fail(file, line);
}

static inline void unit_check_int(int64_t got, int64_t want, const char *expr, const char *file, int line)
{
    if (got == want)
        return;
    print_error("case: %s\n    %s is %" PRId64 ", should be %" PRId64 "\n", unit_case, expr, got, want);
    _fail(file, line);
}

static inline void unit_check_slice(struct slice got, struct slice want, const char *expr, const char *file, int line)
{
    if (slice_eq(got, want))
        return;
    print_error("case: %s\n", unit_case);
    unit_show(expr, got);
    unit_show("should be", want);
    _fail(file, line);
}

#define EVERY_CHUNK_SIZE(size, n) for (size_t size = 1; size <= ((n) > 0 ? (n) : 1); size++)

struct chunks {
    struct slice left;
    size_t size;
    char *copy;
};
#define CHUNKS_INIT(whole, chunk_size) ((struct chunks){ (whole), (chunk_size), NULL })

/* For a loop that is left early. */
static inline void chunks_release(struct chunks *c)
{
    free(c->copy);
    c->copy = NULL;
}

/* False at the end, and then nothing is left to release. */
static inline bool chunks_next(struct chunks *c, struct slice *out)
{
    size_t n = size_min(c->size, c->left.n);

    chunks_release(c);
    if (n == 0)
        return false;
    c->copy = malloc(n);
    if (c->copy == NULL)
        abort();
    memcpy(c->copy, c->left.p, n);
    *out = slice_make(c->copy, n);
    c->left = slice_from(c->left, n);
    return true;
}

/* Processor time of this process in seconds, for "this is linear" tests: it does not grow when the machine is busy. */
static inline double unit_cpu_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

#endif
