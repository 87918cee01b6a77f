/* SPDX-License-Identifier: MIT */
#include "wire/dot.h"

#include "../unit.h"

#include "base/buf.h"

static const struct {
    const char *name;
    struct slice wire;
    struct slice body;
    bool ended;
    struct slice behind; /* the terminator */
} cases[] = {
    { "an ordinary message", SLICE("a: b\r\n\r\nhello\r\n.\r\n"), SLICE("a: b\r\n\r\nhello\r\n"), true, SLICE("") },
    { "an empty reply", SLICE(".\r\n"), SLICE(""), true, SLICE("") },
    { "the next reply behind it", SLICE("x\r\n.\r\n+OK\r\n"), SLICE("x\r\n"), true, SLICE("+OK\r\n") },
    { "a second terminator belongs to nobody", SLICE("x\r\n.\r\n.\r\n"), SLICE("x\r\n"), true, SLICE(".\r\n") },
    { "one dot is taken off", SLICE("..a\r\n...\r\n..\r\n.\r\n"), SLICE(".a\r\n..\r\n.\r\n"), true, SLICE("") },
    { "a dot that was not doubled goes too", SLICE(".a\r\n.\r\n"), SLICE("a\r\n"), true, SLICE("") },
    { "a bare LF before the dot ends nothing", SLICE("a\n.\r\nb\r\n.\r\n"), SLICE("a\n.\r\nb\r\n"), true, SLICE("") },
    { "a bare LF behind the dot ends nothing", SLICE("a\r\n.\nb\r\n.\r\n"), SLICE("a\r\n\nb\r\n"), true, SLICE("") },
    { "LF dot LF is text", SLICE("a\n.\nb\r\n.\r\n"), SLICE("a\n.\nb\r\n"), true, SLICE("") },
    { "a bare CR before the dot ends nothing", SLICE("a\r.\r\nb\r\n.\r\n"), SLICE("a\r.\r\nb\r\n"), true, SLICE("") },
    { "CR CR LF behind the dot", SLICE("a\r\n.\r\r\n.\r\n"), SLICE("a\r\n\r\r\n"), true, SLICE("") },
    { "CR and a letter behind the dot", SLICE("a\r\n.\rb\r\n.\r\n"), SLICE("a\r\n\rb\r\n"), true, SLICE("") },
    { "CR CR LF before the dot", SLICE("a\r\r\n.\r\n"), SLICE("a\r\r\n"), true, SLICE("") },
    { "LF CR before the dot", SLICE("a\n\r.\r\nb\r\n.\r\n"), SLICE("a\n\r.\r\nb\r\n"), true, SLICE("") },
    { "NUL and 8-bit bytes", SLICE("\0\xff\r\n..\0\r\n.\r\n"), SLICE("\0\xff\r\n.\0\r\n"), true, SLICE("") },
    { "dots inside a line", SLICE("a.b..c\r\n.\r\n"), SLICE("a.b..c\r\n"), true, SLICE("") },
    { "cut off in the text", SLICE("a\r\nb"), SLICE("a\r\nb"), false, SLICE("") },
    { "cut off behind the dot", SLICE("a\r\n."), SLICE("a\r\n"), false, SLICE("") },
    { "cut off in the terminator", SLICE("a\r\n.\r"), SLICE("a\r\n"), false, SLICE("") },
    { "nothing at all", SLICE(""), SLICE(""), false, SLICE("") },
};

struct result {
    struct buf body, behind;
    bool ended;
};

static void unstuff(struct slice wire, size_t size, struct result *out)
{
    struct chunks c = CHUNKS_INIT(wire, size);
    struct dot d = DOT_INIT;
    struct slice in, run;
    enum dot_event event;

    *out = (struct result){ .body = BUF_INIT(4096), .behind = BUF_INIT(4096) };
    while (chunks_next(&c, &in)) {
        while ((event = dot_next(&d, &in, &run)) == DOT_RUN) {
            CHECK(run.n > 0);
            CHECK_INT(buf_put_slice(&out->body, run), 0);
        }
        if (event == DOT_END)
            out->ended = true;
        else
            CHECK_INT(in.n, 0);
        CHECK(event == DOT_END || !out->ended);
        CHECK_INT(buf_put_slice(&out->behind, in), 0);
    }
}

static void result_release(struct result *r)
{
    buf_release(&r->body);
    buf_release(&r->behind);
}

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        EVERY_CHUNK_SIZE(size, cases[i].wire.n)
        {
            struct result r;

            CASE("%s, chunks of %zu", cases[i].name, size);
            unstuff(cases[i].wire, size, &r);
            CHECK_SLICE(buf_slice(&r.body), cases[i].body);
            CHECK_INT(r.ended, cases[i].ended);
            CHECK_SLICE(buf_slice(&r.behind), cases[i].behind);
            result_release(&r);
        }
    }
}

/* RFC 1939 section 3 word for word, on the whole reply: line by line, a line ending with CRLF. */
static void unstuff_by_lines(struct slice wire, struct result *out)
{
    *out = (struct result){ .body = BUF_INIT(4096), .behind = BUF_INIT(4096) };
    while (wire.n > 0) {
        const char *crlf = memmem(wire.p, wire.n, "\r\n", 2);
        size_t n = crlf != NULL ? (size_t)(crlf - wire.p) + 2 : wire.n;
        struct slice line = slice_make(wire.p, n);

        wire = slice_from(wire, n);
        if (slice_eq(line, SLICE(".\r\n"))) {
            out->ended = true;
            CHECK_INT(buf_put_slice(&out->behind, wire), 0);
            return;
        }
        /* A cut-off ".\r" may still become the terminator: its CR is not text yet. */
        if (slice_eq(line, SLICE(".\r")))
            return;
        if (line.p[0] == '.')
            line = slice_from(line, 1);
        CHECK_INT(buf_put_slice(&out->body, line), 0);
    }
}

static void test_every_short_reply(void **state)
{
    static const char letters[] = { '.', '\r', '\n', 'a' };
    enum { LONGEST = 7 };

    (void)state;
    for (unsigned n = 1; n <= LONGEST; n++) {
        for (unsigned code = 0; code < 1u << (2 * n); code++) {
            char wire[LONGEST];
            struct result want, got;

            for (unsigned i = 0; i < n; i++)
                wire[i] = letters[code >> (2 * i) & 3];
            unstuff_by_lines(slice_make(wire, n), &want);
            EVERY_CHUNK_SIZE(size, n)
            {
                CASE("reply %u of length %u, chunks of %zu", code, n, size);
                unstuff(slice_make(wire, n), size, &got);
                CHECK_SLICE(buf_slice(&got.body), buf_slice(&want.body));
                CHECK_INT(got.ended, want.ended);
                CHECK_SLICE(buf_slice(&got.behind), buf_slice(&want.behind));
                result_release(&got);
            }
            result_release(&want);
        }
    }
}

static void test_long_runs(void **state)
{
    struct dot d = DOT_INIT;
    struct slice in = SLICE("one line\r\nanother. line\r\nand a third\r\n"), whole = in, run;

    (void)state;
    CASE("text without stuffing comes out in one piece");
    CHECK_INT(dot_next(&d, &in, &run), DOT_RUN);
    CHECK_SLICE(run, whole);
    CHECK(run.p == whole.p);
    CHECK_INT(dot_next(&d, &in, &run), DOT_MORE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_every_short_reply),
        cmocka_unit_test(test_long_runs),
    };

    return cmocka_run_group_tests_name("dot", tests, NULL, NULL);
}
