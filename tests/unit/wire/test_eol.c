/* SPDX-License-Identifier: MIT */
#include "wire/eol.h"

#include "../unit.h"

#include "base/buf.h"

static const struct {
    const char *name;
    struct slice wire, file;
} cases[] = {
    { "an ordinary message", SLICE("a: b\r\n\r\nhello\r\n"), SLICE("a: b\n\nhello\n") },
    { "nothing", SLICE(""), SLICE("") },
    { "a bare LF stays", SLICE("a\nb\r\n"), SLICE("a\nb\n") },
    { "a bare CR stays", SLICE("a\rb\r\n"), SLICE("a\rb\n") },
    { "only the CR before the LF goes", SLICE("a\r\r\nb"), SLICE("a\r\nb") },
    { "many CRs", SLICE("\r\r\r\r\n"), SLICE("\r\r\r\n") },
    { "LF CR", SLICE("a\n\rb"), SLICE("a\n\rb") },
    { "no line end at the end", SLICE("a\r\nb"), SLICE("a\nb") },
    { "a CR as the last byte", SLICE("a\r\nb\r"), SLICE("a\nb\r") },
    { "NUL and 8-bit bytes", SLICE("\0\xff\r\n\0"), SLICE("\0\xff\n\0") },
};

/* The output of each piece goes to memory of exactly the size that eol.h promises to keep to. */
static void convert(struct slice wire, size_t size, struct buf *out)
{
    struct chunks c = CHUNKS_INIT(wire, size);
    struct eol s = EOL_INIT;
    struct slice in;
    char last;

    *out = BUF_INIT(4096);
    while (chunks_next(&c, &in)) {
        char *piece = malloc(in.n + 1);
        size_t n;

        assert_non_null(piece);
        n = eol_to_lf(&s, in, piece);
        CHECK(n <= in.n + 1);
        CHECK_INT(buf_put(out, piece, n), 0);
        free(piece);
    }
    CHECK_INT(eol_to_lf(&s, SLICE_NONE, &last), 0);
    CHECK_INT(buf_put(out, &last, eol_end(&s, &last)), 0);
    CHECK_INT(eol_end(&s, &last), 0);
}

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        EVERY_CHUNK_SIZE(size, cases[i].wire.n)
        {
            struct buf got;

            CASE("%s, chunks of %zu", cases[i].name, size);
            convert(cases[i].wire, size, &got);
            CHECK_SLICE(buf_slice(&got), cases[i].file);
            buf_release(&got);
        }
    }
}

static void test_every_short_message(void **state)
{
    static const char letters[] = { '\r', '\n', 'a', 'b' };
    enum { LONGEST = 7 };

    (void)state;
    for (unsigned n = 1; n <= LONGEST; n++) {
        for (unsigned code = 0; code < 1u << (2 * n); code++) {
            char wire[LONGEST], file[LONGEST];
            size_t len = 0;

            for (unsigned i = 0; i < n; i++)
                wire[i] = letters[code >> (2 * i) & 3];
            for (unsigned i = 0; i < n; i++) {
                if (wire[i] != '\r' || i + 1 == n || wire[i + 1] != '\n')
                    file[len++] = wire[i];
            }
            EVERY_CHUNK_SIZE(size, n)
            {
                struct buf got;

                CASE("message %u of length %u, chunks of %zu", code, n, size);
                convert(slice_make(wire, n), size, &got);
                CHECK_SLICE(buf_slice(&got), slice_make(file, len));
                buf_release(&got);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_every_short_message),
    };

    return cmocka_run_group_tests_name("eol", tests, NULL, NULL);
}
