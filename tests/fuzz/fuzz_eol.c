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
    uint32_t seed = FUZZ_SEED + fuzz_byte(&in);
    struct buf wire = BUF_INIT(SIZE_MAX / 4), want = BUF_INIT(SIZE_MAX / 4), got;
    const uint32_t ways[] = { FUZZ_WHOLE, FUZZ_BYTES, seed };

    for (size_t i = 0; i < in.n; i++) {
        if (in.p[i] != '\r' || i + 1 == in.n || in.p[i + 1] != '\n')
            MUST(buf_put_char(&want, in.p[i]) == 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        convert(in, ways[i], &got);
        MUST(slice_eq(buf_slice(&got), buf_slice(&want)));
        buf_release(&got);
    }

    /* Any file with a CR put before each of its LFs comes back as it was. */
    for (size_t i = 0; i < in.n; i++) {
        if (in.p[i] == '\n')
            MUST(buf_put_char(&wire, '\r') == 0);
        MUST(buf_put_char(&wire, in.p[i]) == 0);
    }
    convert(buf_slice(&wire), seed, &got);
    MUST(slice_eq(buf_slice(&got), in));
    buf_release(&got);
    buf_release(&want);
    buf_release(&wire);
    return 0;
}
