/* SPDX-License-Identifier: MIT
 * COMPRESS=DEFLATE against zlib itself as the peer.
 */
#include "peer.h"

#include <zlib.h>

/* Raw deflate of `plain`, flushed but not ended, as an IMAP server sends it. */
static struct slice compress_raw(struct slice plain)
{
    uLong size = compressBound(plain.n) + 100;
    char *out = malloc(size);
    z_stream z = { .next_in = (z_const Bytef *)(uintptr_t)plain.p, .avail_in = (uInt)plain.n };

    assert_non_null(out);
    z.next_out = (Bytef *)out;
    z.avail_out = (uInt)size;
    CHECK_INT(deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    CHECK_INT(deflate(&z, Z_SYNC_FLUSH), Z_OK);
    CHECK_INT(z.avail_in, 0);
    deflateEnd(&z);
    return slice_make(out, size - z.avail_out);
}

static struct stream *compressed(struct slice input, size_t chunk, struct buf *sent)
{
    struct stream *s;
    struct err e;

    CHECK_INT(stream_memory(input, chunk, sent, &s, &e), 0);
    CHECK_INT(stream_push_deflate(s, &e), 0);
    return s;
}

static void reading_at_every_chunk_size(void **state)
{
    static const struct slice plain = SLICE("* OK ready\r\n* 1 EXISTS\r\n* 1 EXISTS\r\n* 1 EXISTS\r\na OK done\r\n");
    struct slice input = compress_raw(plain);

    (void)state;
    EVERY_CHUNK_SIZE(size, input.n)
    {
        struct stream *s = compressed(input, size, NULL);
        struct err e;

        CASE("chunks of %zu", size);
        while (stream_peek(s).n < plain.n)
            CHECK_INT(stream_fill(s, &e), 0);
        CHECK_SLICE(stream_peek(s), plain);
        CHECK_INT(stream_fill(s, &e), -1);
        CHECK_INT(e.code, E_NET);
        CHECK_INT(stream_bytes_in(s), input.n);
        stream_close(&s);
    }
    free((char *)(uintptr_t)input.p);
}

/* The server may send the first compressed bytes together with its OK. */
static void bytes_already_read_are_compressed(void **state)
{
    struct slice input = compress_raw(SLICE("* hello\r\n"));
    struct buf both = BUF_INIT(1000);
    struct stream *s;
    struct slice line;
    struct err e;

    (void)state;
    CHECK_INT(buf_put_str(&both, "c OK go\r\n"), 0);
    CHECK_INT(buf_put_slice(&both, input), 0);
    CHECK_INT(stream_memory(buf_slice(&both), 0, NULL, &s, &e), 0);
    CHECK_INT(stream_line(s, 100, &line, &e), 0);
    CHECK_INT(stream_push_deflate(s, &e), 0);
    CHECK_INT(stream_line(s, 100, &line, &e), 0);
    CHECK_SLICE(line, SLICE("* hello"));
    stream_close(&s);
    buf_release(&both);
    free((char *)(uintptr_t)input.p);
}

static void a_bomb_is_inflated_piece_by_piece(void **state)
{
    enum { BOMB = 50 * 1000 * 1000 };
    char *zeros = calloc(1, BOMB);
    struct slice input = compress_raw(slice_make(zeros, BOMB));
    struct stream *s = compressed(input, 0, NULL);
    size_t total = 0;
    struct err e;

    (void)state;
    CHECK(input.n < BOMB / 500);
    while (stream_fill(s, &e) == 0) {
        CHECK(stream_peek(s).n <= STREAM_READ && s->in_cap <= STREAM_READ);
        total += stream_peek(s).n;
        stream_consume(s, stream_peek(s).n);
    }
    CHECK_INT(e.code, E_NET);
    CHECK_INT(total, BOMB);
    stream_close(&s);
    free(zeros);
    free((char *)(uintptr_t)input.p);
}

static void much_that_does_not_compress(void **state)
{
    enum { MUCH = 2 * STREAM_BARREN_MAX };
    char *noise = malloc(MUCH);
    uint32_t seed = 1;
    struct slice input;
    struct stream *s;
    struct err e;

    (void)state;
    assert_non_null(noise);
    for (size_t i = 0; i < MUCH; i++)
        noise[i] = (char)((seed = seed * 1664525 + 1013904223) >> 24);
    input = compress_raw(slice_make(noise, MUCH));
    s = compressed(input, 0, NULL);
    while (stream_peek(s).n < MUCH)
        CHECK_INT(stream_fill(s, &e), 0);
    CHECK(slice_eq(stream_peek(s), slice_make(noise, MUCH)));
    stream_close(&s);
    free(noise);
    free((char *)(uintptr_t)input.p);
}

/* Empty blocks (a sync flush of nothing) without end. */
static void nothing_for_ever_is_refused(void **state)
{
    enum { BLOCKS = 200 * 1000 };
    static const char block[] = { 0, 0, 0, (char)0xff, (char)0xff };
    char *text = malloc(BLOCKS * sizeof(block));
    struct stream *s;
    struct err e;

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < BLOCKS; i++)
        memcpy(text + i * sizeof(block), block, sizeof(block));
    s = compressed(slice_make(text, BLOCKS * sizeof(block)), 0, NULL);
    CHECK_INT(stream_fill(s, &e), -1);
    CHECK_INT(e.code, E_PROTO);
    CHECK(stream_bytes_in(s) < 2 * STREAM_BARREN_MAX);
    stream_close(&s);
    free(text);
}

static void rubbish_is_refused(void **state)
{
    struct stream *s = compressed(SLICE("* OK this is no deflate at all\r\n"), 0, NULL);
    struct err e;

    (void)state;
    CHECK_INT(stream_fill(s, &e), -1);
    CHECK_INT(e.code, E_PROTO);
    stream_close(&s);
}

/* Reads what was sent back with zlib: after each flush all of it must be there. */
static void writing(void **state)
{
    enum { NOISE = 100 * 1000 };
    struct buf sent = BUF_INIT(1024 * 1024), want = BUF_INIT(1024 * 1024);
    struct stream *s = compressed(SLICE(""), 0, &sent);
    char *out = malloc(2 * NOISE), *noise = malloc(NOISE);
    z_stream z = { .next_out = (Bytef *)out, .avail_out = 2 * NOISE };
    uint32_t seed = 1;
    struct err e;

    (void)state;
    CHECK(out != NULL && noise != NULL);
    for (size_t i = 0; i < NOISE; i++)
        noise[i] = (char)((seed = seed * 1664525 + 1013904223) >> 24);
    CHECK_INT(inflateInit2(&z, -15), Z_OK);
    const struct slice puts[] = { SLICE("a NOOP\r\n"), SLICE("b FETCH 1:* (FLAGS)\r\n"), slice_make(noise, NOISE) };
    for (size_t i = 0; i < ARRAY_LEN(puts); i++) {
        size_t at = sent.len;

        CASE("put %zu", i);
        stream_put(s, puts[i]);
        CHECK_INT(stream_flush(s, &e), 0);
        CHECK_INT(buf_put_slice(&want, puts[i]), 0);
        z.next_in = (Bytef *)sent.p + at;
        z.avail_in = (uInt)(sent.len - at);
        CHECK_INT(inflate(&z, Z_SYNC_FLUSH), Z_OK);
        CHECK(slice_eq(slice_make(out, z.total_out), buf_slice(&want)));
    }
    CHECK_INT(stream_bytes_out(s), sent.len);
    inflateEnd(&z);
    stream_close(&s);
    buf_release(&sent);
    buf_release(&want);
    free(out);
    free(noise);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_at_every_chunk_size),
        cmocka_unit_test(bytes_already_read_are_compressed),
        cmocka_unit_test(a_bomb_is_inflated_piece_by_piece),
        cmocka_unit_test(rubbish_is_refused),
        cmocka_unit_test(much_that_does_not_compress),
        cmocka_unit_test(nothing_for_ever_is_refused),
        cmocka_unit_test(writing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
