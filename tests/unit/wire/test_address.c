/* SPDX-License-Identifier: MIT */
#include "wire/address.h"

#include "../unit.h"

#define A10  "aaaaaaaaaa"
#define A100 A10 A10 A10 A10 A10 A10 A10 A10 A10 A10

static const struct {
    struct slice text, address; /* address.p NULL: it is none */
} cases[] = {
    { SLICE("a@b.example"), SLICE("a@b.example") },
    { SLICE("<a@b.example>"), SLICE("a@b.example") },
    { SLICE(" \t< a@b.example >\t "), SLICE("a@b.example") },
    { SLICE("root"), SLICE("root") },
    { SLICE("<root>"), SLICE("root") },
    { SLICE("a+b=c.d@[192.0.2.1]"), SLICE("a+b=c.d@[192.0.2.1]") },
    { SLICE("a@[IPv6:2001:db8::1]"), SLICE("a@[IPv6:2001:db8::1]") },
    { SLICE("!#$%&'*+-/=?^_`{|}~@b"), SLICE("!#$%&'*+-/=?^_`{|}~@b") },
    { SLICE("a..b.@docomo.ne.jp"), SLICE("a..b.@docomo.ne.jp") },
    { SLICE(".a@b"), SLICE(".a@b") },
    { SLICE("a@my_host-.b"), SLICE("a@my_host-.b") },
    { SLICE("\"a b\"@c"), SLICE("\"a b\"@c") },
    { SLICE("<\"a>, \\\"<b@c\"@d>"), SLICE("\"a>, \\\"<b@c\"@d") },
    { SLICE("\"\"@c"), SLICE("\"\"@c") },
    { SLICE("\"\\\\\"@c"), SLICE("\"\\\\\"@c") },
    { SLICE("<@a,@b.c:d@e>"), SLICE("d@e") },
    { SLICE("<@a:d@e>"), SLICE("d@e") },
    { SLICE("j\xc3\xb6rg@b\xc3\xbc.example"), SLICE("j\xc3\xb6rg@b\xc3\xbc.example") },
    { SLICE("\"j\xc3\xb6rg\"@b"), SLICE("\"j\xc3\xb6rg\"@b") },
    /* 254 octets, and one more */
    { SLICE(A100 "@" A100 "." A10 A10 A10 A10 A10 "bb"), SLICE(A100 "@" A100 "." A10 A10 A10 A10 A10 "bb") },
    { SLICE(A100 "@" A100 "." A10 A10 A10 A10 A10 "bbb"), { 0 } },
    { SLICE(""), { 0 } },
    { SLICE("<>"), { 0 } },
    { SLICE("@"), { 0 } },
    { SLICE("a@"), { 0 } },
    { SLICE("@b"), { 0 } },
    { SLICE("<a@b"), { 0 } },
    { SLICE("a@b>"), { 0 } },
    { SLICE("<<a@b>>"), { 0 } },
    { SLICE("<a@b> x"), { 0 } },
    { SLICE("a b@c"), { 0 } },
    { SLICE("a@b c"), { 0 } },
    { SLICE("a@b@c"), { 0 } },
    { SLICE("a@b..c"), { 0 } },
    { SLICE("a@.b"), { 0 } },
    { SLICE("a@b."), { 0 } },
    { SLICE("a@b!c"), { 0 } },
    { SLICE("a,b@c"), { 0 } },
    { SLICE("\"a@b"), { 0 } },
    { SLICE("\"a\\"), { 0 } },
    { SLICE("\"a\"b@c"), { 0 } },
    { SLICE("a\"b\"@c"), { 0 } },
    { SLICE("a@[]"), { 0 } },
    { SLICE("a@[192.0.2.1"), { 0 } },
    { SLICE("a@[1 2]"), { 0 } },
    { SLICE("a@[1>2]"), { 0 } },
    { SLICE("a@[1.2]x"), { 0 } },
    { SLICE("<@a,b@c>"), { 0 } },
    { SLICE("<@a:>"), { 0 } },
    { SLICE("@a:b@c"), { 0 } },
    /* commands that would hide in it */
    { SLICE("<a@b>\r\nRCPT TO:<x@y>"), { 0 } },
    { SLICE("a@b\r\nDATA"), { 0 } },
    { SLICE("a@b\nDATA"), { 0 } },
    { SLICE("\"a\r\nDATA\r\n\"@b"), { 0 } },
    { SLICE("\"a\\\r\nDATA\"@b"), { 0 } },
    { SLICE("a@b> SIZE=1 <x"), { 0 } },
    { SLICE("<a@b> SIZE=1<x>"), { 0 } },
    { SLICE("a\0@b"), { 0 } },
    { SLICE("\"a\0\"@b"), { 0 } },
    { SLICE("\"a\\\0\"@b"), { 0 } },
    { SLICE("\"a\x7f\"@b"), { 0 } },
    { SLICE("a\tb@c"), { 0 } },
    { SLICE("\"a\tb\"@c"), { 0 } },
    /* no UTF-8: Latin-1, cut short, overlong LF, C1 control (NEL), surrogate */
    { SLICE("j\xf6rg@b"), { 0 } },
    { SLICE("a@b\xc3"), { 0 } },
    { SLICE("a\xc0\x8a@b"), { 0 } },
    { SLICE("a\xc2\x85@b"), { 0 } },
    { SLICE("\"a\xc2\x85\"@b"), { 0 } },
    { SLICE("a\xed\xa0\x80@b"), { 0 } },
    { SLICE("\"\\\xc3\xb6\"@b"), { 0 } },
};

/* The text is parsed from memory of exactly its size. */
static void test_parse(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct chunks c = CHUNKS_INIT(cases[i].text, SIZE_MAX);
        struct slice text = SLICE_NONE;
        struct address a;

        CASE("address %zu", i);
        (void)chunks_next(&c, &text);
        if (cases[i].address.p == NULL) {
            CHECK_INT(address_parse(text, &a), -1);
        } else {
            CHECK_INT(address_parse(text, &a), 0);
            CHECK_SLICE(a.text, cases[i].address);
            CHECK_INT(a.local.n + (a.domain.n > 0) + a.domain.n, a.text.n);
        }
        chunks_release(&c);
    }
}

static void test_parts(void **state)
{
    struct address a;

    (void)state;
    CASE("a quoted local part");
    CHECK_INT(address_parse(SLICE("<@x:\"a@b\"@c.example>"), &a), 0);
    CHECK_SLICE(a.local, SLICE("\"a@b\""));
    CHECK_SLICE(a.domain, SLICE("c.example"));
    CHECK(!a.utf8);
    CASE("no domain");
    CHECK_INT(address_parse(SLICE("root"), &a), 0);
    CHECK_SLICE(a.local, SLICE("root"));
    CHECK_INT(a.domain.n, 0);
    CASE("UTF-8 in either part");
    CHECK_INT(address_parse(SLICE("\xc3\xb6@c"), &a), 0);
    CHECK(a.utf8);
    CHECK_INT(address_parse(SLICE("c@\xc3\xb6"), &a), 0);
    CHECK(a.utf8);
    CHECK_SLICE(a.domain, SLICE("\xc3\xb6"));
}

static void test_null(void **state)
{
    (void)state;
    CHECK(address_is_null(SLICE("<>")));
    CHECK(address_is_null(SLICE(" < >\t")));
    CHECK(!address_is_null(SLICE("")));
    CHECK(!address_is_null(SLICE("<")));
    CHECK(!address_is_null(SLICE("<a>")));
    CHECK(!address_is_null(SLICE("<> x")));
}

static const struct {
    struct slice value;
    const char *addresses; /* a line each */
} lists[] = {
    { SLICE(""), "" },
    { SLICE("a@x"), "a@x" },
    { SLICE("\"A B\" <a@x>, b@y (comment), group: c@z;"), "a@x\nb@y\nc@z" },
    { SLICE("a@x,b@y"), "a@x\nb@y" },
    { SLICE(",, a@x,,\t,b@y,"), "a@x\nb@y" },
    { SLICE("undisclosed-recipients:;"), "" },
    { SLICE("g: a@x, B <b@y>;, h:;, c@z"), "a@x\nb@y\nc@z" },
    { SLICE("\"a@no, b@no\" <a@x>"), "a@x" },
    { SLICE("\"quote \\\" <a@no>\" <a@x>"), "a@x" },
    { SLICE("(a@no, (b@no \\) ) c@no) a@x (d@no)"), "a@x" },
    { SLICE("A (x, y) <a@x> (z)"), "a@x" },
    { SLICE("A <@r,@s:a@x>, b@y"), "a@x\nb@y" },
    { SLICE("<\"a>,b\"@x>, b@y"), "\"a>,b\"@x\nb@y" },
    { SLICE("\"a, b\"@x"), "\"a, b\"@x" },
    { SLICE("a@[IPv6:2001:db8::1], A [list] <b@y>"), "a@[IPv6:2001:db8::1]\nb@y" },
    { SLICE("[a: b@y"), "" },
    { SLICE("b@no <a@x>"), "a@x" },
    { SLICE("<a@x> <b@no>"), "a@x" },
    { SLICE("Back\\, slash <a@x>"), "a@x" },
    { SLICE("J\xf6rg <a@x>"), "a@x" },
    { SLICE("a @ no, a(c)@no, not one, <>, a@no b, a@x"), "a@x" },
    { SLICE("a@x, <b@no, c@no"), "a@x" },
    { SLICE("a@x, \"b@no, c@no"), "a@x" },
    { SLICE("a@x, (b@no, c@no"), "a@x" },
    { SLICE("a@x, \\"), "a@x" },
    { SLICE("a@x, (\\"), "a@x" },
    { SLICE("a@x, \"\\"), "a@x" },
    { SLICE("a@no\r\nRCPT TO:<b@no\r\nDATA>"), "" },
    { SLICE("root, a@x"), "root\na@x" },
};

static void test_lists(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        struct chunks c = CHUNKS_INIT(lists[i].value, SIZE_MAX);
        struct slice rest = SLICE_NONE;
        struct buf got = BUF_INIT(1000);
        struct address a;

        CASE("list %zu", i);
        (void)chunks_next(&c, &rest);
        while (address_next(&rest, &a)) {
            if (got.len > 0)
                CHECK_INT(buf_put_char(&got, '\n'), 0);
            CHECK_INT(buf_put_slice(&got, a.text), 0);
        }
        CHECK_INT(rest.n, 0);
        CHECK_SLICE(buf_slice(&got), slice_str(lists[i].addresses));
        buf_release(&got);
        chunks_release(&c);
    }
}

static void test_linear(void **state)
{
    enum { SIZE = 1 << 20 };
    static const char *const shapes[] = { "(",      "\"",     "<",   ",",   "a,",  ":",       "[",
                                          "\\",     "(\"",    "<\"", "@a,", "<@a", "a@b,",    "\"a\",",
                                          "<a@b>,", "g:a@b;", "a\"", ")",   ">",   "\xc3\xb6" };
    char *value = malloc(SIZE);

    (void)state;
    assert_non_null(value);
    for (size_t s = 0; s < ARRAY_LEN(shapes); s++) {
        struct slice rest = slice_make(value, SIZE);
        size_t n = strlen(shapes[s]);
        struct address a;
        double start;

        for (size_t i = 0; i < SIZE; i++)
            value[i] = shapes[s][i % n];
        CASE("a mebibyte of %s", shapes[s]);
        start = unit_cpu_seconds();
        while (address_next(&rest, &a))
            CHECK(a.text.n > 0);
        CHECK_INT(rest.n, 0);
        CHECK(unit_cpu_seconds() - start < 0.5);
        CHECK_INT(address_parse(slice_make(value, SIZE), &a), -1);
        CHECK(unit_cpu_seconds() - start < 0.5);
    }
    free(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse), cmocka_unit_test(test_parts),  cmocka_unit_test(test_null),
        cmocka_unit_test(test_lists), cmocka_unit_test(test_linear),
    };

    return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
