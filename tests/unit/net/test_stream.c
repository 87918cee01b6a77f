/* SPDX-License-Identifier: MIT
 * Lines, peeking and putting, on streams in memory: what does not depend on time.
 */
#include "peer.h"

#include <fcntl.h>

#include "base/io.h"
#include "base/log.h"

static struct stream *in_memory(struct slice input, size_t chunk, struct buf *sent)
{
    struct stream *s;
    struct err e;

    CHECK_INT(stream_memory(input, chunk, sent, &s, &e), 0);
    return s;
}

static void lines_at_every_chunk_size(void **state)
{
    static const struct slice input = SLICE("+OK ready\r\n\r\nbare\nnul\0in it\r\nlone\rcr\r\r\n.\r\nno end");
    static const struct slice lines[] = { SLICE("+OK ready"),  SLICE(""),           SLICE("bare"),
                                          SLICE("nul\0in it"), SLICE("lone\rcr\r"), SLICE(".") };
    (void)state;
    EVERY_CHUNK_SIZE(size, input.n)
    {
        struct stream *s = in_memory(input, size, NULL);
        struct slice line;
        struct err e;

        CASE("chunks of %zu", size);
        for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
            CHECK_INT(stream_line(s, 100, &line, &e), 0);
            CHECK_SLICE(line, lines[i]);
        }
        CHECK_INT(stream_line(s, 100, &line, &e), -1);
        CHECK_INT(e.code, E_NET);
        CHECK_SLICE(stream_peek(s), SLICE("no end"));
        CHECK_INT(stream_bytes_in(s), input.n);
        stream_close(&s);
        CHECK(s == NULL);
    }
}

static void line_limits(void **state)
{
    static const struct {
        struct slice input;
        bool fits;
    } cases[] = {
        { SLICE("12345\r\n"), true },  { SLICE("12345\n"), true },     { SLICE("123456\r\n"), false },
        { SLICE("123456\n"), false },  { SLICE("1234567"), false },    { SLICE("12345\r\r\n"), false },
        { SLICE("1234\r\r\n"), true }, { SLICE("12345\rx\n"), false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        EVERY_CHUNK_SIZE(size, cases[i].input.n)
        {
            struct stream *s = in_memory(cases[i].input, size, NULL);
            struct slice line;
            struct err e = ERR_INIT;

            CASE("limit case %zu, chunks of %zu", i, size);
            CHECK_INT(stream_line(s, 5, &line, &e), cases[i].fits ? 0 : -1);
            CHECK_INT(e.code, cases[i].fits ? E_NONE : E_PROTO);
            stream_close(&s);
        }
    }
}

/* A line may be longer than the usual buffer, and reading it in drops takes linear time. */
static void long_line_in_drops(void **state)
{
    enum { LONG = 600 * 1024 };
    char *text = malloc(LONG + 2);
    struct stream *s;
    struct slice line;
    struct err e;

    (void)state;
    assert_non_null(text);
    memset(text, 'a', LONG);
    memcpy(text + LONG, "\r\n", 2);
    s = in_memory(slice_make(text, LONG + 2), 3, NULL);
    double before = unit_cpu_seconds();
    CHECK_INT(stream_line(s, LONG, &line, &e), 0);
    CHECK_INT(line.n, LONG);
    CHECK(unit_cpu_seconds() - before < 2.0);
    CHECK(s->in_cap > STREAM_READ);
    CHECK_INT(stream_fill(s, &e), -1);
    CHECK_INT(s->in_cap, STREAM_READ);
    stream_close(&s);
    free(text);
}

static void what_nobody_takes_is_bounded(void **state)
{
    enum { MUCH = STREAM_READ_MAX + 100 };
    char *text = calloc(1, MUCH);
    struct stream *s;
    struct err e;
    int rc;

    (void)state;
    assert_non_null(text);
    s = in_memory(slice_make(text, MUCH), 0, NULL);
    while ((rc = stream_fill(s, &e)) == 0)
        CHECK(stream_peek(s).n <= STREAM_READ_MAX);
    CHECK_INT(rc, -1);
    CHECK_INT(e.code, E_PROTO);
    stream_close(&s);
    free(text);
}

/* Bytes keep their order however they are taken, across every move of the buffer. */
static void peek_and_consume(void **state)
{
    enum { MUCH = 1000 * 1000 };
    static const size_t steps[] = { 1, 7, 4096, 30000, 70000 };
    char *text = malloc(MUCH);
    struct err e;

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < MUCH; i++)
        text[i] = (char)(i * 31 + i / 251);
    for (size_t k = 0; k < ARRAY_LEN(steps); k++) {
        struct stream *s = in_memory(slice_make(text, MUCH), 50021, NULL);
        size_t at = 0;

        CASE("steps of %zu", steps[k]);
        while (at < MUCH) {
            while (stream_peek(s).n < size_min(steps[k], MUCH - at))
                CHECK_INT(stream_fill(s, &e), 0);
            size_t n = size_min(steps[k], MUCH - at);
            if (memcmp(stream_peek(s).p, text + at, n) != 0)
                fail_msg("wrong bytes at %zu", at);
            stream_consume(s, n);
            at += n;
        }
        CHECK_INT(stream_fill(s, &e), -1);
        stream_close(&s);
    }
    free(text);
}

static void put_is_sent_at_the_flush_or_when_full(void **state)
{
    struct buf sent = BUF_INIT(1024 * 1024);
    struct stream *s = in_memory(SLICE(""), 0, &sent);
    static char big[3 * STREAM_WRITE + 5];
    struct err e;

    (void)state;
    stream_put(s, SLICE("a1 NOOP"));
    stream_putf(s, " %d %s", 7, "x");
    stream_put(s, SLICE("\r\n"));
    CHECK_INT(sent.len, 0);
    CHECK_INT(stream_flush(s, &e), 0);
    CHECK_SLICE(buf_slice(&sent), SLICE("a1 NOOP 7 x\r\n"));
    CHECK_INT(stream_flush(s, &e), 0);
    CHECK_INT(stream_bytes_out(s), 13);

    buf_clear(&sent);
    memset(big, 'b', sizeof(big));
    stream_put(s, slice_make(big, sizeof(big)));
    CHECK_INT(sent.len, 3 * STREAM_WRITE);
    CHECK_INT(stream_flush(s, &e), 0);
    CHECK_SLICE(buf_slice(&sent), slice_make(big, sizeof(big)));
    stream_close(&s);
    buf_release(&sent);
}

static void an_error_stays(void **state)
{
    struct buf sent = BUF_INIT(4);
    struct stream *s = in_memory(SLICE("one\r\ntwo\r\n"), 0, &sent);
    struct slice line;
    struct err e;

    (void)state;
    CHECK_INT(stream_line(s, 100, &line, &e), 0);
    stream_put(s, SLICE("too long"));
    CHECK_INT(stream_flush(s, &e), -1);
    CHECK_INT(e.code, E_NOMEM);
    stream_put(s, SLICE("x"));
    e = ERR_INIT;
    CHECK_INT(stream_flush(s, &e), -1);
    CHECK_INT(e.code, E_NOMEM);
    e = ERR_INIT;
    CHECK_INT(stream_fill(s, &e), -1);
    CHECK_INT(e.code, E_NOMEM);
    /* What had come whole can still be read: it may say why. */
    CHECK_INT(stream_line(s, 100, &line, &e), 0);
    CHECK_SLICE(line, SLICE("two"));
    stream_close(&s);
    buf_release(&sent);
}

static void secrets_are_neither_shown_nor_kept(void **state)
{
    char path[] = "test_stream_log_XXXXXX";
    int fd = mkstemp(path);
    struct log_options options = { .level = LOG_LEVEL_ERROR, .to_file = LOG_LEVEL_TRACE, .file = path };
    struct buf log = BUF_INIT(100000), sent = BUF_INIT(1000);
    struct stream *s = in_memory(SLICE("* OK \x1b[2J\r\n"), 0, &sent);
    struct slice line;
    struct err e;

    (void)state;
    CHECK(fd >= 0);
    CHECK_INT(log_open(&options, &e), 0);
    stream_put(s, SLICE("a LOGIN me "));
    stream_put_secret(s, SLICE("hunter2"));
    stream_put(s, SLICE("\r\nb CAPABILITY\r\n"));
    CHECK(s->out.len > 0 && s->out.p != NULL);
    CHECK_INT(stream_flush(s, &e), 0);
    CHECK(memmem(s->out.p, s->out.cap, "hunter2", 7) == NULL);
    CHECK_INT(stream_line(s, 100, &line, &e), 0);
    log_close();
    CHECK_SLICE(buf_slice(&sent), SLICE("a LOGIN me hunter2\r\nb CAPABILITY\r\n"));

    CHECK_INT(io_read_all(fd, &log), 0);
    CHECK_HAS(buf_cstr(&log), "C: a LOGIN me ********\n");
    CHECK_HAS(buf_cstr(&log), "C: b CAPABILITY\n");
    CHECK_HAS(buf_cstr(&log), "S: * OK \\x1b[2J\n");
    CHECK(strstr(buf_cstr(&log), "hunter2") == NULL);
    stream_close(&s);
    buf_release(&log);
    buf_release(&sent);
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_at_every_chunk_size),
        cmocka_unit_test(line_limits),
        cmocka_unit_test(long_line_in_drops),
        cmocka_unit_test(what_nobody_takes_is_bounded),
        cmocka_unit_test(peek_and_consume),
        cmocka_unit_test(put_is_sent_at_the_flush_or_when_full),
        cmocka_unit_test(an_error_stays),
        cmocka_unit_test(secrets_are_neither_shown_nor_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
