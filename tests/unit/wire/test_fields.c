/* SPDX-License-Identifier: MIT */
#include "wire/fields.h"

#include "../unit.h"

/* `fields` is "name=value|" for each. */
static const struct {
    const char *name;
    struct slice message;
    const char *fields;
    bool done;
} cases[] = {
    { "an ordinary message", SLICE("A: b\nC-d:e \n\nF: g\n"), "A=b|C-d=e|", true },
    { "CRLF", SLICE("A: b\r\nC:d\r\n\r\nF: g\r\n"), "A=b|C=d|", true },
    { "LF and CRLF mixed", SLICE("A: b\nC:d\r\n\nF: g\r\n"), "A=b|C=d|", true },
    { "converted twice", SLICE("A: b\r\r\n c\r\r\n\r\r\nF: g\r\r\n"), "A=b c|", true },
    { "nothing", SLICE(""), "", false },
    { "only a body", SLICE("\nA: b\n"), "", true },
    { "only a body, CRLF", SLICE("\r\nA: b\r\n"), "", true },
    { "a body without an empty line", SLICE("hello, world\nhow are you\n"), "", false },
    { "no end of the header", SLICE("A: b\nC: d\n"), "A=b|C=d|", false },
    { "no end of the line", SLICE("A: b\nC: d"), "A=b|C=d|", false },
    { "only a name at the end", SLICE("A: b\nC"), "A=b|", false },
    { "folded", SLICE("A: b\n  c\n\td\nE: f\n\n"), "A=b  c\td|E=f|", true },
    { "folded behind the name", SLICE("A:\n b\n\n"), "A=b|", true },
    { "a line of blanks is no end", SLICE("A: b\n \n c\n\nd"), "A=b  c|", true },
    { "empty values", SLICE("A:\nB: \n\n"), "A=|B=|", true },
    { "colons in the value", SLICE("A: b: c\n\n"), "A=b: c|", true },
    { "blanks before the colon", SLICE("A \t: b\n\n"), "A=b|", true },
    { "an mbox separator", SLICE("From a@b Thu Jan  1 00:00:00 1970\nA: b\n\n"), "A=b|", true },
    { "a quoted one", SLICE(">From a@b Thu Jan  1 00:00:00 1970\nA: b\n\n"), "A=b|", true },
    { "From is a field too", SLICE("From: a\n\n"), "From=a|", true },
    { "no field, with continuations", SLICE("A: b\nnone at all\n x\n C: d\nE: f\n\n"), "A=b|E=f|", true },
    { "no name", SLICE(": b\n x\nA: b\n\n"), "A=b|", true },
    { "begins with a continuation", SLICE(" x: y\nA: b\n\n"), "A=b|", true },
    { "8-bit in a name", SLICE("\xc3\xa4: b\nC: d\n\n"), "C=d|", true },
    { "a bare CR is no line end", SLICE("A: b\rC: d\n\n"), "A=b\rC: d|", true },
    { "... in front of a line", SLICE("A: b\n\rC: d\n x\nE: f\n\n"), "A=b|E=f|", true },
    { "... at the end", SLICE("A: b\n\r"), "A=b|", false },
    { "the callback had enough", SLICE("A: b\nStop: here\nC: d\n\n"), "A=b|Stop=here|", true },
};

static int collect(void *ctx, struct slice name, struct slice value)
{
    CHECK_INT(buf_putf(ctx, "%.*s=%.*s|", SLICE_ARG(name), SLICE_ARG(value)), 0);
    return slice_eq(name, SLICE("Stop"));
}

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        EVERY_CHUNK_SIZE(size, cases[i].message.n)
        {
            struct chunks c = CHUNKS_INIT(cases[i].message, size);
            struct buf got = BUF_INIT(1000);
            struct fields f;
            struct slice in;

            CASE("%s, chunks of %zu", cases[i].name, size);
            fields_init(&f, collect, &got);
            while (chunks_next(&c, &in))
                CHECK_INT(fields_feed(&f, in), 0);
            CHECK_INT(f.done, cases[i].done);
            fields_end(&f);
            CHECK(f.done);
            CHECK_INT(fields_feed(&f, SLICE("X: y\n\n")), 0);
            CHECK_SLICE(buf_slice(&got), slice_str(cases[i].fields));
            fields_release(&f);
            buf_release(&got);
        }
    }
}

struct seen {
    struct fields *fields;
    size_t name, value, count;
    bool cut;
};

static int measure(void *ctx, struct slice name, struct slice value)
{
    struct seen *seen = ctx;

    seen->name = name.n;
    seen->value = value.n;
    seen->cut = seen->fields->cut;
    seen->count++;
    return 0;
}

static void feed_many(struct fields *f, const char *text, size_t times)
{
    while (times-- > 0)
        CHECK_INT(fields_feed(f, slice_str(text)), 0);
}

static void test_maxima(void **state)
{
    struct fields f;
    struct seen seen = { .fields = &f };

    (void)state;
    fields_init(&f, measure, &seen);
    CASE("the longest name");
    feed_many(&f, "n", FIELDS_NAME_MAX);
    feed_many(&f, ":", 1);
    feed_many(&f, " ", 100 * 1024);
    feed_many(&f, "v\n ", FIELDS_VALUE_MAX);
    feed_many(&f, "w\n", 1);
    CASE("one that is too long");
    feed_many(&f, "n", FIELDS_NAME_MAX + 1);
    CHECK_INT(seen.count, 1);
    CHECK_INT(seen.name, FIELDS_NAME_MAX);
    CHECK_INT(seen.value, FIELDS_VALUE_MAX - 1); /* the cut falls on a blank, which is trimmed */
    feed_many(&f, ": x\n", 1);
    CHECK_INT(seen.count, 1);
    CASE("continuations of what is no field");
    feed_many(&f, " 0123456789\n", 20 * 1024);
    CHECK_INT(seen.count, 1);
    CASE("more of one value than is kept");
    feed_many(&f, "a:", 1);
    feed_many(&f, "0123456789", 20 * 1024);
    feed_many(&f, "\nb: c\n", 1);
    CHECK_INT(seen.count, 2);
    CHECK_INT(seen.value, FIELDS_VALUE_MAX);
    CHECK(seen.cut);
    feed_many(&f, "\n", 1);
    CHECK_INT(seen.count, 3);
    CHECK(!seen.cut);
    CHECK(f.done);
    CHECK(f.line.cap <= FIELDS_NAME_MAX + FIELDS_VALUE_MAX + 1);
    fields_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_maxima),
    };

    return cmocka_run_group_tests_name("fields", tests, NULL, NULL);
}
