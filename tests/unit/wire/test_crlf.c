/* SPDX-License-Identifier: MIT */
#include "wire/crlf.h"

#include "../unit.h"

#include "base/buf.h"
#include "wire/eol.h"

static const struct {
    const char *name;
    struct slice file, exact, smtp, data;
} cases[] = {
    { "an ordinary message", SLICE("a: b\n\nhello\n"), SLICE("a: b\r\n\r\nhello\r\n"), SLICE("a: b\r\n\r\nhello\r\n"),
      SLICE("a: b\r\n\r\nhello\r\n") },
    { "nothing", SLICE(""), SLICE(""), SLICE(""), SLICE("") },
    { "an empty line", SLICE("\n"), SLICE("\r\n"), SLICE("\r\n"), SLICE("\r\n") },
    { "no line end at the end", SLICE("a\nb"), SLICE("a\r\nb"), SLICE("a\r\nb\r\n"), SLICE("a\r\nb\r\n") },
    { "the end, smuggled with an LF", SLICE("a\n.\nb\n"), SLICE("a\r\n.\r\nb\r\n"), SLICE("a\r\n.\r\nb\r\n"),
      SLICE("a\r\n..\r\nb\r\n") },
    { "... with a CR", SLICE("a\r.\rb\n"), SLICE("a\r.\rb\r\n"), SLICE("a\r\n.\r\nb\r\n"), SLICE("a\r\n..\r\nb\r\n") },
    { "... with both", SLICE("a\n.\r\nb\n"), SLICE("a\r\n.\r\r\nb\r\n"), SLICE("a\r\n.\r\nb\r\n"),
      SLICE("a\r\n..\r\nb\r\n") },
    { "a dot as the last byte", SLICE("a\n."), SLICE("a\r\n."), SLICE("a\r\n.\r\n"), SLICE("a\r\n..\r\n") },
    { "a dot first, and dots inside", SLICE(".a.b\n..\n"), SLICE(".a.b\r\n..\r\n"), SLICE(".a.b\r\n..\r\n"),
      SLICE("..a.b\r\n...\r\n") },
    { "CRs before an LF", SLICE("a\r\r\r\nb\n"), SLICE("a\r\r\r\r\nb\r\n"), SLICE("a\r\nb\r\n"), SLICE("a\r\nb\r\n") },
    { "CRs as line ends", SLICE("a\r\rb\rc"), SLICE("a\r\rb\rc"), SLICE("a\r\n\r\nb\r\nc\r\n"),
      SLICE("a\r\n\r\nb\r\nc\r\n") },
    { "CRs at the end", SLICE("a\r\r"), SLICE("a\r\r"), SLICE("a\r\n"), SLICE("a\r\n") },
    { "LF and CR at the end", SLICE("a\n\r"), SLICE("a\r\n\r"), SLICE("a\r\n\r\n"), SLICE("a\r\n\r\n") },
    { "NUL and 8-bit bytes", SLICE("\0\xff\n\0"), SLICE("\0\xff\r\n\0"), SLICE("\0\xff\r\n\0\r\n"),
      SLICE("\0\xff\r\n\0\r\n") },
};

/* Each call writes to memory of exactly the room it is told. */
static void convert(enum crlf_form form, struct slice file, size_t size, size_t room, struct buf *out)
{
    struct chunks pieces = CHUNKS_INIT(file, size);
    struct crlf c = CRLF_INIT(form);
    struct slice in = SLICE_NONE;
    char end[CRLF_END_MAX];

    *out = BUF_INIT(4096);
    while (chunks_next(&pieces, &in)) {
        while (in.n > 0) {
            char *piece = malloc(room);
            size_t before = in.n, n;

            assert_non_null(piece);
            n = crlf_put(&c, &in, piece, room);
            CHECK(n <= room && (n > 0 || in.n < before));
            CHECK_INT(buf_put(out, piece, n), 0);
            free(piece);
        }
    }
    CHECK_INT(crlf_put(&c, &in, end, sizeof(end)), 0);
    CHECK_INT(buf_put(out, end, crlf_end(&c, end)), 0);
    CHECK_INT(crlf_end(&c, end), 0);
}

static void check_form(enum crlf_form form, struct slice file, size_t size, struct slice want)
{
    for (size_t room = CRLF_ROOM_MIN; room < file.n * 2 + 4; room++) {
        struct buf got;

        convert(form, file, size, room, &got);
        CHECK_SLICE(buf_slice(&got), want);
        buf_release(&got);
    }
}

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        EVERY_CHUNK_SIZE(size, cases[i].file.n)
        {
            CASE("%s, chunks of %zu", cases[i].name, size);
            check_form(CRLF_EXACT, cases[i].file, size, cases[i].exact);
            check_form(CRLF_SMTP, cases[i].file, size, cases[i].smtp);
            check_form(CRLF_DATA, cases[i].file, size, cases[i].data);
        }
    }
}

/* What a server takes for the message: it ends at the first CRLF.CRLF (the CRLF before may be that of the DATA command)
 * and drops the first dot of a line. The rest, which it would take for commands, is *rest_out. */
static void receive(struct slice wire, struct buf *out, struct slice *rest_out)
{
    bool line_start = true;

    *out = BUF_INIT(4096);
    for (size_t i = 0; i < wire.n; i++) {
        if (line_start && slice_starts(slice_from(wire, i), SLICE(".\r\n"))) {
            *rest_out = slice_from(wire, i + 3);
            return;
        }
        if (!line_start || wire.p[i] != '.')
            CHECK_INT(buf_put_char(out, wire.p[i]), 0);
        line_start = i > 0 && wire.p[i - 1] == '\r' && wire.p[i] == '\n';
    }
    CHECK(!"the end was seen");
}

static void check_no_bare(struct slice wire)
{
    for (size_t i = 0; i < wire.n; i++) {
        if (wire.p[i] == '\r')
            CHECK(i + 1 < wire.n && wire.p[i + 1] == '\n');
        if (wire.p[i] == '\n')
            CHECK(i > 0 && wire.p[i - 1] == '\r');
    }
    CHECK(wire.n == 0 || wire.p[wire.n - 1] == '\n');
}

static void check_smtp_and_data(struct slice file)
{
    struct buf smtp, data, seen;
    struct slice rest = SLICE_NONE;

    convert(CRLF_SMTP, file, SIZE_MAX, 64, &smtp);
    convert(CRLF_DATA, file, SIZE_MAX, 64, &data);
    check_no_bare(buf_slice(&smtp));
    check_no_bare(buf_slice(&data));
    CHECK_INT(buf_put_str(&data, ".\r\nEND"), 0);
    receive(buf_slice(&data), &seen, &rest);
    CHECK_SLICE(rest, SLICE("END"));
    CHECK_SLICE(buf_slice(&seen), buf_slice(&smtp));
    buf_release(&smtp);
    buf_release(&data);
    buf_release(&seen);
}

static void check_chunks(enum crlf_form form, struct slice file)
{
    struct buf whole, cut;

    convert(form, file, SIZE_MAX, 64, &whole);
    EVERY_CHUNK_SIZE(size, file.n)
    {
        for (size_t room = CRLF_ROOM_MIN; room <= 5; room++) {
            convert(form, file, size, room, &cut);
            CHECK_SLICE(buf_slice(&cut), buf_slice(&whole));
            buf_release(&cut);
        }
    }
    buf_release(&whole);
}

static void check_exact(struct slice file)
{
    struct eol eol = EOL_INIT;
    struct buf wire;
    char back[64];
    size_t n;

    convert(CRLF_EXACT, file, SIZE_MAX, 64, &wire);
    n = eol_to_lf(&eol, buf_slice(&wire), back);
    n += eol_end(&eol, back + n);
    CHECK_SLICE(slice_make(back, n), file);
    buf_release(&wire);
}

static void every_message(unsigned longest, void (*check)(struct slice file))
{
    static const char letters[] = { '\r', '\n', '.', 'a' };

    for (unsigned n = 0; n <= longest; n++) {
        for (unsigned code = 0; code < 1u << (2 * n); code++) {
            char file[8];

            for (unsigned i = 0; i < n; i++)
                file[i] = letters[code >> (2 * i) & 3];
            CASE("message %u of length %u", code, n);
            check(slice_make(file, n));
        }
    }
}

static void check_all_chunks(struct slice file)
{
    check_chunks(CRLF_EXACT, file);
    check_chunks(CRLF_SMTP, file);
    check_chunks(CRLF_DATA, file);
}

static void test_nothing_can_be_smuggled(void **state)
{
    (void)state;
    every_message(8, check_smtp_and_data);
}

static void test_exact_is_the_inverse_of_eol(void **state)
{
    (void)state;
    every_message(8, check_exact);
}

static void test_every_chunk_size_and_room(void **state)
{
    (void)state;
    every_message(6, check_all_chunks);
}

/* Each byte is looked at a bounded number of times, also where CR and LF are far apart. */
static void test_linear(void **state)
{
    enum { SIZE = 1 << 20 };
    static const struct {
        const char *name, *head, *tail;
    } shapes[] = { { "CRs, no LF", "a\r", "a\r" },
                   { "LFs, no CR", "a\n", "a\n" },
                   { "CRs, then LFs", "a\r", "a\n" },
                   { "nothing but CR", "\r\r", "\r\r" } };
    char *file = malloc(SIZE), *out = malloc(SIZE * 2 + CRLF_END_MAX);

    (void)state;
    assert_non_null(file);
    assert_non_null(out);
    for (size_t s = 0; s < ARRAY_LEN(shapes); s++) {
        struct crlf c = CRLF_INIT(CRLF_DATA);
        struct slice in = slice_make(file, SIZE);
        double start = unit_cpu_seconds();

        for (size_t i = 0; i < SIZE; i++)
            file[i] = (i < SIZE / 2 ? shapes[s].head : shapes[s].tail)[i % 2];
        CASE("%s", shapes[s].name);
        (void)crlf_put(&c, &in, out, SIZE * 2 + CRLF_END_MAX);
        (void)crlf_end(&c, out);
        CHECK_INT(in.n, 0);
        CHECK(unit_cpu_seconds() - start < 0.5);
    }
    free(file);
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_nothing_can_be_smuggled),
        cmocka_unit_test(test_exact_is_the_inverse_of_eol),
        cmocka_unit_test(test_every_chunk_size_and_room),
        cmocka_unit_test(test_linear),
    };

    return cmocka_run_group_tests_name("crlf", tests, NULL, NULL);
}
