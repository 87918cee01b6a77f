/* SPDX-License-Identifier: MIT */
#include "net/resolve.h"

#include "../unit.h"

/* Heads: id, flags, one question, so many answers. AD is 0x0020. */
#define HEAD(flags, answers) "\x12\x34" flags "\0\1\0" answers "\0\0\0\0"
#define SIGNED               "\x81\xa0"
#define UNSIGNED             "\x81\x80"
#define EXAMPLE              "\7example\3org\0"
#define QUESTION(type)       EXAMPLE "\0" type "\0\1"
/* An answer for the name at offset 12, that of the question. */
#define RR(type, length)     "\xc0\x0c\0" type "\0\1\0\0\0\x3c\0" length

static void parse(struct slice bytes, enum resolve_type type, int want, struct resolve_answer *out)
{
    char *exact = malloc(bytes.n);
    int rc;

    assert_non_null(exact);
    memcpy(exact, bytes.p, bytes.n);
    rc = resolve_parse(slice_make(exact, bytes.n), type, out);
    free(exact);
    CHECK_INT(rc, want);
}

static void test_mx(void **state)
{
    static const struct slice bytes = SLICE(HEAD(SIGNED, "\2") QUESTION("\x0f") RR(
        "\x0f", "\7") "\0\x14\2mx\xc0\x0c" RR("\x0f", "\x15") "\0\x0a\5other\7example\3net\0");
    struct resolve_answer a;

    (void)state;
    CASE("two servers");
    parse(bytes, RESOLVE_MX, 0, &a);
    CHECK(a.known && a.authentic);
    CHECK_INT(a.count, 2);
    CHECK_INT(a.records.mx[0].preference, 20);
    CHECK_SLICE(slice_str(a.records.mx[0].host), SLICE("mx.example.org"));
    CHECK_INT(a.records.mx[1].preference, 10);
    CHECK_SLICE(slice_str(a.records.mx[1].host), SLICE("other.example.net"));
    resolve_release(&a);
}

static void test_mx_that_is_none(void **state)
{
    struct resolve_answer a;

    (void)state;
    CASE("null MX");
    parse(SLICE(HEAD(UNSIGNED, "\1") QUESTION("\x0f") RR("\x0f", "\3") "\0\0\0"), RESOLVE_MX, 0, &a);
    CHECK(a.known && !a.authentic);
    CHECK_INT(a.count, 1);
    CHECK_SLICE(slice_str(a.records.mx[0].host), SLICE(""));
    resolve_release(&a);
    CASE("a name with a line end is none, and no null MX");
    parse(SLICE(HEAD(UNSIGNED, "\1") QUESTION("\x0f") RR("\x0f", "\7") "\0\0\3a\r\n\0"), RESOLVE_MX, 0, &a);
    CHECK_INT(a.count, 1);
    CHECK_SLICE(slice_str(a.records.mx[0].host), SLICE("."));
    resolve_release(&a);
}

static void test_txt(void **state)
{
    struct resolve_answer a;

    (void)state;
    CASE("strings are put together");
    parse(SLICE(HEAD(UNSIGNED, "\2") QUESTION("\x10") RR("\x10", "\x08") "\2ab\0\3c;d" RR("\x10", "\1") "\0"),
          RESOLVE_TXT, 0, &a);
    CHECK_INT(a.count, 2);
    CHECK_SLICE(a.records.txt[0], SLICE("abc;d"));
    CHECK_SLICE(a.records.txt[1], SLICE(""));
    resolve_release(&a);
    CASE("a string that is longer than its record");
    parse(SLICE(HEAD(UNSIGNED, "\1") QUESTION("\x10") RR("\x10", "\3") "\5ab"), RESOLVE_TXT, 0, &a);
    CHECK_INT(a.count, 0);
    resolve_release(&a);
}

static void test_tlsa(void **state)
{
    struct resolve_answer a;

    (void)state;
    CASE("one, and one that is too short");
    parse(SLICE(HEAD(SIGNED, "\2") QUESTION("\x34") RR("\x34", "\5") "\3\1\1\xaa\0" RR("\x34", "\3") "\3\1\1"),
          RESOLVE_TLSA, 0, &a);
    CHECK_INT(a.count, 1);
    CHECK_INT(a.records.tlsa[0].usage, 3);
    CHECK_INT(a.records.tlsa[0].selector, 1);
    CHECK_INT(a.records.tlsa[0].matching, 1);
    CHECK_SLICE(a.records.tlsa[0].data, SLICE("\xaa\0"));
    resolve_release(&a);
}

static void test_aliases(void **state)
{
    static const struct slice bytes =
        SLICE(HEAD(SIGNED, "\2") QUESTION("\1") RR("\5", "\4") "\1x\xc0\x14"
                                                               "\1x\xc0\x14\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1");
    static const struct slice circle =
        SLICE(HEAD(SIGNED, "\2") QUESTION("\1") RR("\5", "\4") "\1x\xc0\x14"
                                                               "\1x\xc0\x14\0\5\0\1\0\0\0"
                                                               "\x3c\0\2\xc0\x0c");
    struct resolve_answer a;

    (void)state;
    CASE("an address behind an alias");
    parse(bytes, RESOLVE_IPV4, 0, &a);
    CHECK_INT(a.count, 1);
    CHECK_SLICE(slice_str(a.name), SLICE("x.org"));
    resolve_release(&a);
    CASE("the alias itself");
    parse(bytes, RESOLVE_ALIAS, 0, &a);
    CHECK_INT(a.count, 1);
    CHECK_SLICE(slice_str(a.name), SLICE("example.org"));
    resolve_release(&a);
    CASE("in circles");
    parse(circle, RESOLVE_IPV4, -1, &a);
    resolve_release(&a);
}

static void test_of_another_name(void **state)
{
    struct resolve_answer a;

    (void)state;
    CASE("a record that nobody asked for");
    parse(SLICE(HEAD(SIGNED, "\1") QUESTION("\x0f") "\3foo\0\0\x0f\0\1\0\0\0\x3c\0\7\0\1\2mx\xc0\x0c"), RESOLVE_MX, 0,
          &a);
    CHECK_INT(a.count, 0);
    resolve_release(&a);
}

static void test_cut(void **state)
{
    static const struct slice bytes = SLICE(HEAD(SIGNED, "\1") QUESTION("\x34") RR("\x34", "\5") "\3\1\1\xaa\0");
    struct resolve_answer a;

    (void)state;
    for (size_t n = 0; n < bytes.n; n++) {
        CASE("%zu bytes", n);
        parse(slice_make(bytes.p, n), RESOLVE_TLSA, -1, &a);
        resolve_release(&a);
    }
}

static void test_many(void **state)
{
    struct buf bytes = BUF_INIT(10000);
    struct resolve_answer a;

    (void)state;
    CASE("more than are kept");
    assert_int_equal(buf_put_slice(&bytes, SLICE(HEAD(SIGNED, "\xc8") QUESTION("\x10"))), 0);
    for (int i = 0; i < 200; i++)
        assert_int_equal(buf_put_slice(&bytes, SLICE(RR("\x10", "\3") "\2ab")), 0);
    parse(buf_slice(&bytes), RESOLVE_TXT, 0, &a);
    CHECK_INT(a.count, RESOLVE_RECORDS_MAX);
    resolve_release(&a);
    buf_release(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mx),      cmocka_unit_test(test_mx_that_is_none),
        cmocka_unit_test(test_txt),     cmocka_unit_test(test_tlsa),
        cmocka_unit_test(test_aliases), cmocka_unit_test(test_of_another_name),
        cmocka_unit_test(test_cut),     cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
