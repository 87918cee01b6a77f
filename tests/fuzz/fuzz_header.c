/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "wire/header.h"
#include "wire/limits.h"

static size_t feed(struct header_scan *h, struct slice message, uint32_t seed)
{
    struct fuzz_pieces pieces = { message, seed, NULL };
    struct slice in;
    size_t total = 0;

    header_init(h);
    while (fuzz_piece(&pieces, &in)) {
        bool done = h->done;
        size_t n = header_feed(h, in);

        MUST(n <= in.n && (!done || n == 0) && (h->done || n == in.n));
        total += n;
    }
    return total;
}

/* The end of the first line that is empty, or 0. */
static size_t header_end_of(struct slice s)
{
    for (size_t i = 0, line = 0; i < s.n; i++) {
        if (s.p[i] != '\n')
            continue;
        if (i == line || (i == line + 1 && s.p[line] == '\r'))
            return i + 1;
        line = i + 1;
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_make((const char *)data, size);
    uint32_t seed = FUZZ_SEED + fuzz_byte(&in);
    const uint32_t ways[] = { FUZZ_BYTES, seed };
    struct header_scan whole, cut, again;
    struct buf message = BUF_INIT(LIMIT_MESSAGE_ID + 100);
    size_t end = header_end_of(in);

    MUST(feed(&whole, in, FUZZ_WHOLE) == (end > 0 ? end : in.n));
    MUST(whole.done == (end > 0));
    header_end(&whole);
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        MUST(feed(&cut, in, ways[i]) == (end > 0 ? end : in.n));
        MUST(cut.done == (end > 0));
        header_end(&cut);
        MUST(slice_eq(buf_slice(&whole.message_id), buf_slice(&cut.message_id)));
        header_release(&cut);
    }
    MUST(whole.message_id.len <= LIMIT_MESSAGE_ID);
    MUST(whole.field.cap <= LIMIT_MESSAGE_ID + 2);
    MUST(whole.message_id.len == 0 || memchr(whole.message_id.p, '\n', whole.message_id.len) == NULL);

    MUST(buf_put_str(&message, "Message-ID: ") == 0);
    MUST(buf_put_slice(&message, buf_slice(&whole.message_id)) == 0);
    MUST(buf_put_str(&message, "\r\n\r\n") == 0);
    MUST(feed(&again, buf_slice(&message), seed) == message.len);
    MUST(slice_eq(buf_slice(&again.message_id), buf_slice(&whole.message_id)));
    header_release(&whole);
    header_release(&again);
    buf_release(&message);
    return 0;
}
