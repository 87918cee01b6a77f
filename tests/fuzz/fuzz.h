/* SPDX-License-Identifier: MIT
 * fuzz.h - what the fuzz targets share.
 *
 * A target is one file that defines LLVMFuzzerTestOneInput(). It does not only look for crashes: MUST() states what has
 * to be so whatever the bytes are (decode after encode is the identity, any chunk size gives the same, limits hold).
 * With clang and --enable-fuzz it is linked with libFuzzer; else with replay.c, which runs it over
 * tests/fuzz/corpus/TARGET/ in `make check`.
 *
 * To add one: fuzz_NAME.c, its lines in local.mk, fuzz_NAME.dict, some files in corpus/fuzz_NAME/.
 */
#ifndef MAILHAUL_FUZZ_H
#define MAILHAUL_FUZZ_H

#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(that) fuzz_must((that), #that, __FILE__, __LINE__)

static inline void fuzz_must(bool so, const char *expr, const char *file, int line)
{
    if (so)
        return;
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, expr);
    abort();
}

/* Takes the byte at the front; 0 when there is none. */
static inline uint8_t fuzz_byte(struct slice *in)
{
    uint8_t b = in->n > 0 ? (uint8_t)in->p[0] : 0;

    if (in->n > 0)
        *in = slice_from(*in, 1);
    return b;
}

/* Cuts `left` into pieces of lengths that `seed` chooses, each in memory of exactly its own size. */
enum { FUZZ_WHOLE, FUZZ_BYTES, FUZZ_SEED /* and all above */ };
struct fuzz_pieces {
    struct slice left;
    uint32_t seed;
    char *copy;
};

static inline bool fuzz_piece(struct fuzz_pieces *f, struct slice *out)
{
    size_t n = f->left.n;

    free(f->copy);
    f->copy = NULL;
    if (n == 0)
        return false;
    if (f->seed == FUZZ_BYTES) {
        n = 1;
    } else if (f->seed != FUZZ_WHOLE) {
        f->seed = (f->seed * 1664525 + 1013904223) | FUZZ_SEED;
        n = size_min(n, 1 + (f->seed >> 16) % (f->seed >> 30 == 0 ? 200 : 5));
    }
    f->copy = slice_dup(slice_make(f->left.p, n));
    MUST(f->copy != NULL);
    /* slice_dup() ends with a NUL: no reader may rely on it. */
    f->copy[n] = 'X';
    *out = slice_make(f->copy, n);
    f->left = slice_from(f->left, n);
    return true;
}

#endif
