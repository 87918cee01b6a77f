/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "wire/dot.h"

struct result {
    struct buf body, behind;
    bool ended;
};

static struct result unstuff(struct slice wire, uint32_t seed)
{
    struct result r = { .body = BUF_INIT(SIZE_MAX / 4), .behind = BUF_INIT(SIZE_MAX / 4) };
    struct fuzz_pieces pieces = { wire, seed, NULL };
    struct dot d = DOT_INIT;
    struct slice in, run;
    enum dot_event event;

    while (fuzz_piece(&pieces, &in)) {
        while ((event = dot_next(&d, &in, &run)) == DOT_RUN) {
            MUST(run.n > 0);
            MUST(buf_put_slice(&r.body, run) == 0);
        }
        MUST(event == DOT_END || (in.n == 0 && !r.ended));
        r.ended = event == DOT_END;
        MUST(buf_put_slice(&r.behind, in) == 0);
    }
    return r;
}

static void release(struct result *r)
{
    buf_release(&r->body);
    buf_release(&r->behind);
}

/* What a server has to do, RFC 1939 section 3. Returns with `body` ended by CRLF. */
static void stuff(struct buf *body, struct buf *wire)
{
    struct slice left;

    if (body->len > 0 && (body->len < 2 || memcmp(body->p + body->len - 2, "\r\n", 2) != 0))
        MUST(buf_put_str(body, "\r\n") == 0);
    left = buf_slice(body);
    while (left.n > 0) {
        const char *crlf = memmem(left.p, left.n, "\r\n", 2);
        size_t n = (size_t)(crlf - left.p) + 2;

        if (left.p[0] == '.')
            MUST(buf_put_char(wire, '.') == 0);
        MUST(buf_put(wire, left.p, n) == 0);
        left = slice_from(left, n);
    }
    MUST(buf_put_str(wire, ".\r\n") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_make((const char *)data, size);
    uint32_t seed = FUZZ_SEED + fuzz_byte(&in);
    struct buf body = BUF_INIT(SIZE_MAX / 4), wire = BUF_INIT(SIZE_MAX / 4);
    const uint32_t ways[] = { FUZZ_BYTES, seed };
    struct result whole = unstuff(in, FUZZ_WHOLE), cut;

    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        cut = unstuff(in, ways[i]);
        MUST(slice_eq(buf_slice(&whole.body), buf_slice(&cut.body)));
        MUST(slice_eq(buf_slice(&whole.behind), buf_slice(&cut.behind)));
        MUST(whole.ended == cut.ended);
        release(&cut);
    }
    release(&whole);

    MUST(buf_put_slice(&body, in) == 0);
    stuff(&body, &wire);
    MUST(buf_put_str(&wire, "+OK next\r\n") == 0);
    whole = unstuff(buf_slice(&wire), seed);
    MUST(whole.ended);
    MUST(slice_eq(buf_slice(&whole.body), buf_slice(&body)));
    MUST(slice_eq(buf_slice(&whole.behind), SLICE("+OK next\r\n")));
    release(&whole);
    buf_release(&body);
    buf_release(&wire);
    return 0;
}
