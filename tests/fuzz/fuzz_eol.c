/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "wire/eol.h"

static void convert(struct slice wire, uint32_t seed, struct buf *out)
{
    struct fuzz_pieces pieces = { wire, seed, NULL };
    struct eol s = EOL_INIT;
    struct slice in;
    char last;

    buf_init(out, SIZE_MAX / 4);
    while (fuzz_piece(&pieces, &in)) {
        char *piece = malloc(in.n + 1);
        size_t n;

        MUST(piece != NULL);
        n = eol_to_lf(&s, in, piece);
        MUST(n <= in.n + 1);
        MUST(buf_put(out, piece, n) == 0);
        free(piece);
    }
    MUST(buf_put(out, &last, eol_end(&s, &last)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_make((const char *)data, size);
    uint32_t seed = 1 + fuzz_byte(&in);
    struct buf wire = BUF_INIT(SIZE_MAX / 4), want = BUF_INIT(SIZE_MAX / 4), whole, cut;

    for (size_t i = 0; i < in.n; i++) {
        if (in.p[i] != '\r' || i + 1 == in.n || in.p[i + 1] != '\n')
            MUST(buf_put_char(&want, in.p[i]) == 0);
    }
    convert(in, 0, &whole);
    convert(in, seed, &cut);
    MUST(slice_eq(buf_slice(&whole), buf_slice(&want)));
    MUST(slice_eq(buf_slice(&cut), buf_slice(&want)));
    buf_release(&whole);

    /* Any file with a CR put before each of its LFs comes back as it was. */
    for (size_t i = 0; i < in.n; i++) {
        if (in.p[i] == '\n')
            MUST(buf_put_char(&wire, '\r') == 0);
        MUST(buf_put_char(&wire, in.p[i]) == 0);
    }
    convert(buf_slice(&wire), seed, &whole);
    MUST(slice_eq(buf_slice(&whole), in));
    buf_release(&whole);
    buf_release(&cut);
    buf_release(&want);
    buf_release(&wire);
    return 0;
}
