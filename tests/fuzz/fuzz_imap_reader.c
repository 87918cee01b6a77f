/* SPDX-License-Identifier: MIT
 * fuzz_imap_reader.c - any bytes as an IMAP server's stream. The first byte chooses the chunk sizes.
 *
 * Oracle: whole or in chunks the trace of events is the same; imap_trace.h checks the limits and each event.
 */
#include "fuzz.h"

#include "../unit/wire/imap_trace.h"

/* A trace repeats the text of a response for each of its bodies. */
enum { INPUT_MAX = 128 * 1024, TRACE_MAX = 256 * 1024 * 1024 };

static void trace_all(struct slice in, uint32_t seed, struct buf *trace)
{
    struct fuzz_pieces pieces = { .left = in, .seed = seed };
    struct imap_reader r;
    struct slice piece;

    imap_reader_init(&r);
    while (fuzz_piece(&pieces, &piece)) {
        if (!trace_feed(&r, piece, trace))
            pieces.left = SLICE_NONE;
    }
    imap_reader_release(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf whole = BUF_INIT(TRACE_MAX), pieces = BUF_INIT(TRACE_MAX);
    struct slice in = slice_make((const char *)data, size);
    uint32_t seed;

    if (size > INPUT_MAX)
        return 0;
    seed = (uint32_t)fuzz_byte(&in) + 1;
    trace_all(in, 0, &whole);
    trace_all(in, seed, &pieces);
    MUST(slice_eq(buf_slice(&whole), buf_slice(&pieces)));
    buf_release(&whole);
    buf_release(&pieces);
    return 0;
}
