/* SPDX-License-Identifier: MIT */
#include "wire/imap_reader.h"

#include "../unit.h"
#include "imap_trace.h"

enum { TRACE_MAX = 4 * 1024 * 1024 };

static const struct {
    const char *name;
    struct slice in;
    struct slice trace;
} cases[] = {
    /* lines */
    { "one line", SLICE("* OK hi\r\n"), SLICE("* OK hi\n") },
    { "nothing", SLICE(""), SLICE("") },
    { "a line that has not ended", SLICE("* OK hi"), SLICE("") },
    { "a CR that may end a line is not one", SLICE("* OK hi\r"), SLICE("") },
    { "bare LF", SLICE("* OK a\n* OK b\n"), SLICE("* OK a\n* OK b\n") },
    { "a CR inside a line stays", SLICE("* OK a\rb\r\r\n"), SLICE("* OK a\rb\r\n") },
    { "NUL and 8-bit in a line", SLICE("* OK \0\xff\r\n"), SLICE("* OK \0\xff\n") },
    { "empty lines", SLICE("\r\n\n"), SLICE("\n\n") },
    { "public-inbox says only +", SLICE("+\r\n+ \r\n"), SLICE("+\n+ \n") },
    { "the second text does not begin with the first", SLICE("* LIST () \"/\" longer\r\nA1 OK\r\n"),
      SLICE("* LIST () \"/\" longer\nA1 OK\n") },

    /* literals that are kept */
    { "a folder name", SLICE("* LIST () \"/\" {3}\r\na\rb\r\nA OK\r\n"), SLICE("* LIST () \"/\" {3}\r\na\rb\nA OK\n") },
    { "non-synchronising", SLICE("* LIST () \"/\" {3+}\r\nabc\r\n"), SLICE("* LIST () \"/\" {3+}\r\nabc\n") },
    { "literal8", SLICE("* LIST () \"/\" ~{3}\r\na\0c\r\n"), SLICE("* LIST () \"/\" ~{3}\r\na\0c\n") },
    { "its line ended by a bare LF", SLICE("* LIST () \"/\" {3}\nabc\n"), SLICE("* LIST () \"/\" {3}\r\nabc\n") },
    { "empty", SLICE("* LIST () \"/\" {0}\r\n\r\nA OK\r\n"), SLICE("* LIST () \"/\" {0}\r\n\nA OK\n") },
    { "line ends and a literal header inside", SLICE("* X {9}\r\n\r\nA {5}\r\n (b)\r\n"),
      SLICE("* X {9}\r\n\r\nA {5}\r\n (b)\n") },
    { "two", SLICE("* X {1}\r\na {1}\r\nb c\r\n"), SLICE("* X {1}\r\na {1}\r\nb c\n") },
    { "in a FETCH, no body section", SLICE("* 1 FETCH (ENVELOPE (\"d\" {5}\r\nhello NIL))\r\n"),
      SLICE("* 1 FETCH (ENVELOPE (\"d\" {5}\r\nhello NIL))\n") },
    { "a section's size is no body", SLICE("* 1 FETCH (BINARY.SIZE[1] {2}\r\n12)\r\n"),
      SLICE("* 1 FETCH (BINARY.SIZE[1] {2}\r\n12)\n") },
    { "a body section outside a FETCH", SLICE("* LIST () \"/\" BODY[] {3}\r\nabc\r\n"),
      SLICE("* LIST () \"/\" BODY[] {3}\r\nabc\n") },
    { "a body section inside quotes", SLICE("* 1 FETCH (X \"BODY[]\" {3}\r\nabc)\r\n"),
      SLICE("* 1 FETCH (X \"BODY[]\" {3}\r\nabc)\n") },
    { "a list between section and literal", SLICE("* 1 FETCH (BODY[] ({3}\r\nabc))\r\n"),
      SLICE("* 1 FETCH (BODY[] ({3}\r\nabc))\n") },

    { "a string between section and literal", SLICE("* 1 FETCH (BODY[] \"x\" {3}\r\nabc)\r\n"),
      SLICE("* 1 FETCH (BODY[] \"x\" {3}\r\nabc)\n") },

    /* bodies */
    { "the end of a body is told at once", SLICE("* 1 FETCH (BODY[] {2}\r\nab"),
      SLICE("{2|* 1 FETCH (BODY[] {2}}ab{end}") },
    { "a body", SLICE("* 1 FETCH (UID 7 BODY[] {5}\r\nhello)\r\nA OK\r\n"),
      SLICE("{5|* 1 FETCH (UID 7 BODY[] {5}}hello{end}* 1 FETCH (UID 7 BODY[] {5})\nA OK\n") },
    { "UID after the body", SLICE("* 1 FETCH (BODY[] {5}\r\nhello UID 7)\r\n"),
      SLICE("{5|* 1 FETCH (BODY[] {5}}hello{end}* 1 FETCH (BODY[] {5} UID 7)\n") },
    { "an empty body", SLICE("* 1 FETCH (BODY[] {0}\r\n)\r\n"),
      SLICE("{0|* 1 FETCH (BODY[] {0}}{end}* 1 FETCH (BODY[] {0})\n") },
    { "responses inside a body", SLICE("* 1 FETCH (BODY[] {12}\r\n)\r\nA1 OK {3}\r\n)\r\n"),
      SLICE("{12|* 1 FETCH (BODY[] {12}})\r\nA1 OK {3}{end}* 1 FETCH (BODY[] {12}\n)\n") },
    { "UIDFETCH, lower case, no blank before the brace", SLICE("* 9 uidfetch (body[]{2}\r\nab)\r\n"),
      SLICE("{2|* 9 uidfetch (body[]{2}}ab{end}* 9 uidfetch (body[]{2})\n") },
    { "two blanks", SLICE("*  9  FETCH  (BODY[]  {2}\r\nab)\r\n"),
      SLICE("{2|*  9  FETCH  (BODY[]  {2}}ab{end}*  9  FETCH  (BODY[]  {2})\n") },
    { "behind a literal that is kept", SLICE("* 1 FETCH (X {1}\r\n\" BODY[] {2}\r\nab)\r\n"),
      SLICE("{2|* 1 FETCH (X {1}\r\n\" BODY[] {2}}ab{end}* 1 FETCH (X {1}\r\n\" BODY[] {2})\n") },
    { "two bodies", SLICE("* 1 FETCH (BODY[HEADER] {1}\r\na BODY[TEXT] {1}\r\nb)\r\n"),
      SLICE("{1|* 1 FETCH (BODY[HEADER] {1}}a{end}{1|* 1 FETCH (BODY[HEADER] {1} BODY[TEXT] {1}}b{end}"
            "* 1 FETCH (BODY[HEADER] {1} BODY[TEXT] {1})\n") },
    { "fields with brackets in quotes", SLICE("* 1 FETCH (BODY[HEADER.FIELDS (\"a]b\" To)]<0> {1}\r\na)\r\n"),
      SLICE("{1|* 1 FETCH (BODY[HEADER.FIELDS (\"a]b\" To)]<0> {1}}a{end}"
            "* 1 FETCH (BODY[HEADER.FIELDS (\"a]b\" To)]<0> {1})\n") },
    { "RFC822", SLICE("* 1 FETCH (RFC822 {1}\r\na)\r\n"),
      SLICE("{1|* 1 FETCH (RFC822 {1}}a{end}* 1 FETCH (RFC822 {1})\n") },
    { "RFC822.HEADER", SLICE("* 1 FETCH (RFC822.HEADER {1}\r\na)\r\n"),
      SLICE("{1|* 1 FETCH (RFC822.HEADER {1}}a{end}* 1 FETCH (RFC822.HEADER {1})\n") },
    { "RFC822.TEXT", SLICE("* 1 FETCH (RFC822.TEXT {1}\r\na)\r\n"),
      SLICE("{1|* 1 FETCH (RFC822.TEXT {1}}a{end}* 1 FETCH (RFC822.TEXT {1})\n") },
    { "BINARY, literal8", SLICE("* 1 FETCH (BINARY[] ~{2}\r\n\0b)\r\n"),
      SLICE("{2|* 1 FETCH (BINARY[] ~{2}}\0b{end}* 1 FETCH (BINARY[] ~{2})\n") },
    { "BODY.PEEK echoed, non-synchronising", SLICE("* 1 FETCH (BODY.PEEK[] {2+}\r\nab)\r\n"),
      SLICE("{2|* 1 FETCH (BODY.PEEK[] {2+}}ab{end}* 1 FETCH (BODY.PEEK[] {2+})\n") },
    { "inline and NIL bodies stay in the text", SLICE("* 1 FETCH (BODY[] \"a\" BODY[TEXT] NIL)\r\n"),
      SLICE("* 1 FETCH (BODY[] \"a\" BODY[TEXT] NIL)\n") },
    { "a body that is cut", SLICE("* 1 FETCH (BODY[] {5}\r\nhel"), SLICE("{5|* 1 FETCH (BODY[] {5}}hel") },
    { "the largest body", SLICE("* 1 FETCH (BODY[] {1099511627776}\r\nx"),
      SLICE("{1099511627776|* 1 FETCH (BODY[] {1099511627776}}x") },

    /* what looks like a literal and is none */
    { "status text", SLICE("* OK text {12}\r\n* NO {1}\r\n* BAD {1}\r\n* BYE {1}\r\n* PREAUTH {1}\r\n"),
      SLICE("* OK text {12}\n* NO {1}\n* BAD {1}\n* BYE {1}\n* PREAUTH {1}\n") },
    { "status text, lower case and two blanks", SLICE("*  ok {12}\r\nA ok\r\n"), SLICE("*  ok {12}\nA ok\n") },
    { "status text with an impossible literal", SLICE("* OK {-1}\r\n"), SLICE("* OK {-1}\n") },
    { "tagged", SLICE("A1 NO \"open {12}\r\nA2 XX {1}\r\n"), SLICE("A1 NO \"open {12}\nA2 XX {1}\n") },
    { "continuation", SLICE("+ {12}\r\n+ FETCH {1}\r\n"), SLICE("+ {12}\n+ FETCH {1}\n") },
    { "a line that is no response", SLICE("{12}\r\n*{12}\r\n220 FETCH BODY[] {12}\r\n"),
      SLICE("{12}\n*{12}\n220 FETCH BODY[] {12}\n") },
    { "not at the end of the line", SLICE("* 1 FETCH (BODY[] {5} UID 7)\r\n* X {5}x\r\n* X {5} \r\n"),
      SLICE("* 1 FETCH (BODY[] {5} UID 7)\n* X {5}x\n* X {5} \n") },
    { "CR CR LF behind it", SLICE("* X {5}\r\r\n"), SLICE("* X {5}\r\n") },
    { "braces with other things in them", SLICE("* X {a}\r\n* X {1 }\r\n* X }\r\n* X {1}}\r\n"),
      SLICE("* X {a}\n* X {1 }\n* X }\n* X {1}}\n") },

    /* what ends the session */
    { "negative", SLICE("* 1 FETCH (BODY[] {-1}\r\n"), SLICE("{bad: a literal of an impossible length}") },
    { "no length (GroupWise)", SLICE("* 1 FETCH (BODY[] {}\r\n"), SLICE("{bad: a literal of an impossible length}") },
    { "64 bits and one", SLICE("* X {18446744073709551616}\r\n"), SLICE("{bad: a literal of an impossible length}") },
    { "20 digits", SLICE("* 1 FETCH (BODY[] {99999999999999999999}\r\n"),
      SLICE("{bad: a literal of an impossible length}") },
    { "64 bits, a body", SLICE("* 1 FETCH (BODY[] {18446744073709551615}\r\n"),
      SLICE("{bad: a message of more than 1099511627776 bytes}") },
    { "one more than the largest body", SLICE("* 1 FETCH (BODY[] {1099511627777}\r\n"),
      SLICE("{bad: a message of more than 1099511627776 bytes}") },
    { "64 bits, kept", SLICE("* X {18446744073709551615}\r\n"), SLICE("{bad: a response of more than 262144 bytes}") },
    { "too much for a response, told before it comes", SLICE("* X {262140}\r\n"),
      SLICE("{bad: a response of more than 262144 bytes}") },
    { "32 bits, kept", SLICE("* X {4294967295}\r\n"), SLICE("{bad: a response of more than 262144 bytes}") },
    { "a literal header in an open quote", SLICE("* LIST () \"/\" \"a {12}\r\n* OK\r\n"),
      SLICE("{bad: a line that ends in the middle of a quoted string}") },
    { "an escaped quote does not close it", SLICE("* LIST () \"/\" \"a\\\" {12}\r\n"),
      SLICE("{bad: a line that ends in the middle of a quoted string}") },
    { "an escaped backslash does not escape the quote", SLICE("* LIST () \"\\\\\" {1}\r\na\r\n"),
      SLICE("* LIST () \"\\\\\" {1}\r\na\n") },
    { "what went before is handed out first", SLICE("* OK\r\n* X {}\r\n"),
      SLICE("* OK\n{bad: a literal of an impossible length}") },
};

static void check_at(struct slice in, size_t size, struct slice want)
{
    struct chunks c = CHUNKS_INIT(in, size);
    struct imap_reader r;
    struct buf trace = BUF_INIT(TRACE_MAX);
    struct slice chunk;

    imap_reader_init(&r);
    while (chunks_next(&c, &chunk)) {
        if (!trace_feed(&r, chunk, &trace)) {
            chunks_release(&c);
            break;
        }
    }
    CHECK_SLICE(buf_slice(&trace), want);
    buf_release(&trace);
    imap_reader_release(&r);
}

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        EVERY_CHUNK_SIZE(size, cases[i].in.n)
        {
            CASE("%s, chunks of %zu", cases[i].name, size);
            check_at(cases[i].in, size, cases[i].trace);
        }
    }
}

/* Chunk sizes for inputs too long to try all of them. */
static void check_long(const char *name, const struct buf *in, struct slice want)
{
    const size_t sizes[] = { 1, 2, 3, 1000, 4096, 65536, in->len - 1, in->len };

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        CASE("%s, chunks of %zu", name, sizes[i]);
        check_at(buf_slice(in), sizes[i], want);
    }
}

static void put_many(struct buf *b, char c, size_t n)
{
    CHECK(buf_reserve(b, n) == 0);
    memset(b->p + b->len, c, n);
    buf_grew(b, n);
}

static void test_line_limit(void **state)
{
    struct buf in = BUF_INIT(TRACE_MAX), want = BUF_INIT(TRACE_MAX);

    (void)state;
    CHECK(buf_put_str(&want, "* OK ") == 0);
    put_many(&want, 'a', LIMIT_LINE - want.len - 1);
    CHECK(buf_put_char(&want, '\n') == 0);
    CHECK(buf_put(&in, want.p, want.len - 1) == 0 && buf_put_str(&in, "\r\n") == 0);
    check_long("the longest line", &in, buf_slice(&want));

    buf_truncate(&in, in.len - 2);
    CHECK(buf_put_str(&in, "a\r\n") == 0);
    check_long("one byte more", &in, SLICE("{bad: a line of more than 65536 bytes}"));

    buf_clear(&in);
    put_many(&in, 'a', 1024 * 1024);
    check_long("1 MiB without an end", &in, SLICE("{bad: a line of more than 65536 bytes}"));
    buf_release(&in);
    buf_release(&want);
}

static void test_line_limit_counts_anew_behind_a_literal(void **state)
{
    struct buf in = BUF_INIT(TRACE_MAX), want = BUF_INIT(TRACE_MAX);

    (void)state;
    CHECK(buf_put_str(&in, "* X ") == 0);
    put_many(&in, 'a', LIMIT_LINE - 100);
    CHECK(buf_put_str(&in, " {5}\r\nhello") == 0);
    put_many(&in, 'b', LIMIT_LINE - 1);
    CHECK(buf_put_slice(&want, buf_slice(&in)) == 0 && buf_put_str(&want, "\n") == 0);
    CHECK(buf_put_str(&in, "\r\n") == 0);
    check_long("two long lines of one response", &in, buf_slice(&want));
    buf_release(&in);
    buf_release(&want);
}

static void test_response_limit(void **state)
{
    struct buf in = BUF_INIT(TRACE_MAX), want = BUF_INIT(TRACE_MAX);

    (void)state;
    /* "* X {262127}" CRLF, the literal, and "x": 262144 bytes with the CR that is counted while it is unknown. */
    CHECK(buf_put_str(&in, "* X {262128}\r\n") == 0);
    put_many(&in, 'a', 262128);
    CHECK(buf_put_str(&in, "x") == 0 && buf_put_slice(&want, buf_slice(&in)) == 0);
    CHECK_INT(in.len, LIMIT_RESPONSE - 1);
    CHECK(buf_put_str(&want, "\n") == 0 && buf_put_str(&in, "\r\n") == 0);
    check_long("the longest response", &in, buf_slice(&want));

    buf_truncate(&in, in.len - 2);
    CHECK(buf_put_str(&in, "x\r\n") == 0);
    check_long("one byte more", &in, SLICE("{bad: a response of more than 262144 bytes}"));

    buf_clear(&in);
    for (int i = 0; i < 40000; i++)
        CHECK(buf_put_str(&in, i == 0 ? "* X {1}\r\n" : "a {1}\r\n") == 0);
    check_long("literals for ever", &in, SLICE("{bad: a response of more than 262144 bytes}"));
    buf_release(&in);
    buf_release(&want);
}

static void test_memory_is_not_announced(void **state)
{
    struct imap_reader r;
    size_t used;

    (void)state;
    CASE("a literal of 200,000 bytes of which none has come");
    imap_reader_init(&r);
    CHECK_INT(imap_reader_next(&r, SLICE("* X {200000}\r\n"), &used), IMAP_EV_MORE);
    CHECK(r.buf.cap < 1000);
    imap_reader_release(&r);
}

static void test_a_body_comes_in_whole_chunks(void **state)
{
    static char big[LIMIT_READ];
    struct imap_reader r;
    size_t used;

    (void)state;
    CASE("64 KiB of a body");
    memset(big, '\n', sizeof(big));
    imap_reader_init(&r);
    CHECK_INT(imap_reader_next(&r, SLICE("* 1 FETCH (BODY[] {1000000}\r\n"), &used), IMAP_EV_BODY_BEGIN);
    CHECK_INT(imap_reader_next(&r, slice_make(big, sizeof(big)), &used), IMAP_EV_BODY_DATA);
    CHECK_INT(used, sizeof(big));
    CHECK(r.data.p == big && r.data.n == sizeof(big));
    CHECK_INT(imap_reader_next(&r, SLICE_NONE, &used), IMAP_EV_MORE);
    imap_reader_release(&r);
}

static void test_rest(void **state)
{
    struct imap_reader r;
    size_t used;

    (void)state;
    CASE("between two responses nothing is held, within one everything");
    imap_reader_init(&r);
    CHECK_INT(imap_reader_next(&r, SLICE("* 1 EXISTS\r\n"), &used), IMAP_EV_RESPONSE);
    imap_reader_rest(&r);
    CHECK_INT(r.buf.cap, 0);
    CHECK_INT(imap_reader_next(&r, SLICE("* 2 EXIS"), &used), IMAP_EV_MORE);
    imap_reader_rest(&r);
    CHECK_INT(imap_reader_next(&r, SLICE("TS\r\n"), &used), IMAP_EV_RESPONSE);
    CHECK_SLICE(r.text, SLICE("* 2 EXISTS"));
    imap_reader_release(&r);
}

/* Each of these took quadratic time in some client. A line is 64 KiB at most, so 1 MiB is many of them. */
static void test_linear_time(void **state)
{
    static const struct {
        const char *name;
        const char *head, *unit, *tail;
    } slow[] = {
        { "brackets that do not close", "* 1 FETCH (", "a[ ", "{1}\r\nx)\r\n" },
        { "brackets, no blanks", "* 1 FETCH (", "[", " {1}\r\nx)\r\n" },
        { "braces", "* 1 FETCH (", "{", "{1}\r\nx)\r\n" },
        { "quotes", "* 1 FETCH (", "\"\"", " {1}\r\nx)\r\n" },
        { "quotes inside a section", "* 1 FETCH (BODY[", "\"\"", "] {1}\r\nx)\r\n" },
        { "short lines", "", "\r\n", "" },
        { "literals", "* X", " {0}\r\n", "\r\n" },
    };
    struct buf in = BUF_INIT(TRACE_MAX), trace = BUF_INIT(TRACE_MAX);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(slow); i++) {
        struct imap_reader r;
        double before;

        CASE("%s", slow[i].name);
        buf_clear(&in);
        buf_clear(&trace);
        while (in.len < 1024 * 1024) {
            size_t line = in.len;

            CHECK(buf_put_str(&in, slow[i].head) == 0);
            while (in.len - line < LIMIT_LINE - 100)
                CHECK(buf_put_str(&in, slow[i].unit) == 0);
            CHECK(buf_put_str(&in, slow[i].tail) == 0);
        }
        imap_reader_init(&r);
        before = unit_cpu_seconds();
        CHECK(trace_feed(&r, buf_slice(&in), &trace));
        CHECK(unit_cpu_seconds() - before < 1.0);
        imap_reader_release(&r);
    }

    struct imap_reader r;
    double before;

    CASE("a long head in front of many literals");
    buf_clear(&in);
    buf_clear(&trace);
    CHECK(buf_put_char(&in, '*') == 0);
    put_many(&in, ' ', LIMIT_LINE - 100);
    CHECK(buf_put_str(&in, "X") == 0);
    while (in.len < LIMIT_RESPONSE - 100)
        CHECK(buf_put_str(&in, "{0}\r\n") == 0);
    CHECK(buf_put_str(&in, "\r\n") == 0);
    imap_reader_init(&r);
    before = unit_cpu_seconds();
    CHECK(trace_feed(&r, buf_slice(&in), &trace) && trace.len > 0);
    CHECK(unit_cpu_seconds() - before < 1.0);
    imap_reader_release(&r);
    buf_release(&in);
    buf_release(&trace);
}

static void test_reuse_after_release(void **state)
{
    struct imap_reader r;
    size_t used;

    (void)state;
    CASE("a reader released after BAD reads again");
    imap_reader_init(&r);
    CHECK_INT(imap_reader_next(&r, SLICE("* X {}\r\n"), &used), IMAP_EV_BAD);
    imap_reader_release(&r);
    CHECK_INT(imap_reader_next(&r, SLICE("* OK\r\n"), &used), IMAP_EV_RESPONSE);
    imap_reader_release(&r);
    imap_reader_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_line_limit),
        cmocka_unit_test(test_line_limit_counts_anew_behind_a_literal),
        cmocka_unit_test(test_response_limit),
        cmocka_unit_test(test_memory_is_not_announced),
        cmocka_unit_test(test_a_body_comes_in_whole_chunks),
        cmocka_unit_test(test_rest),
        cmocka_unit_test(test_linear_time),
        cmocka_unit_test(test_reuse_after_release),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
