/* SPDX-License-Identifier: MIT */
#include "wire/imap_write.h"

#include "../unit.h"
#include "wire/imap_parse.h"

static char long_value[1001];

static void test_strings(void **state)
{
    static const struct {
        const char *name;
        struct slice value;
        bool utf8;
        enum imap_quoting how;
        struct slice out;
    } cases[] = {
        { "plain", SLICE("INBOX"), false, IMAP_QUOTED, SLICE("\"INBOX\"") },
        { "empty", SLICE(""), false, IMAP_QUOTED, SLICE("\"\"") },
        { "quotes and backslashes", SLICE("a\"b\\c"), false, IMAP_QUOTED, SLICE("\"a\\\"b\\\\c\"") },
        { "what would end the command's list", SLICE("a) (b {3} %*"), false, IMAP_QUOTED, SLICE("\"a) (b {3} %*\"") },
        { "control bytes are allowed", SLICE("\x01\t\x7f"), false, IMAP_QUOTED, SLICE("\"\x01\t\x7f\"") },
        { "CR", SLICE("a\rb"), false, IMAP_NEEDS_LITERAL, SLICE("") },
        { "LF", SLICE("a\nLOGOUT"), true, IMAP_NEEDS_LITERAL, SLICE("") },
        { "8-bit", SLICE("\xc3\xa4"), false, IMAP_NEEDS_LITERAL, SLICE("") },
        { "UTF-8 where it is enabled", SLICE("\xc3\xa4"), true, IMAP_QUOTED, SLICE("\"\xc3\xa4\"") },
        { "no UTF-8 where it is enabled", SLICE("\xe4"), true, IMAP_NEEDS_LITERAL, SLICE("") },
        { "NUL", SLICE("a\0b"), false, IMAP_UNSENDABLE, SLICE("") },
        { "NUL behind what needs a literal", SLICE("\r\n\xff\0"), true, IMAP_UNSENDABLE, SLICE("") },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out = BUF_INIT(100);

        CASE("%s", cases[i].name);
        CHECK(buf_put_str(&out, "=") == 0);
        CHECK_INT(imap_put_string(&out, cases[i].value, cases[i].utf8), cases[i].how);
        CHECK_SLICE(slice_from(buf_slice(&out), 1), cases[i].out);
        buf_release(&out);
    }
}

static void test_lengths(void **state)
{
    struct buf out = BUF_INIT(3000), tight = BUF_INIT(9);

    (void)state;
    memset(long_value, '"', sizeof(long_value));
    CASE("1000 bytes, all escaped");
    CHECK_INT(imap_put_string(&out, slice_make(long_value, 1000), false), IMAP_QUOTED);
    CHECK_INT(out.len, 2002);
    CASE("1001 bytes");
    CHECK_INT(imap_put_string(&out, slice_make(long_value, 1001), false), IMAP_NEEDS_LITERAL);
    CASE("room for one quote less than needed");
    CHECK_INT(imap_put_string(&tight, slice_make(long_value, 4), false), IMAP_UNSENDABLE);
    CHECK_INT(tight.len, 0);
    CHECK_INT(imap_put_string(&tight, slice_make(long_value, 3), false), IMAP_QUOTED);
    buf_release(&out);
    buf_release(&tight);
}

/* Every byte, alone and between others, comes back from the parser. */
static void test_round_trip(void **state)
{
    (void)state;
    for (int c = 1; c < 256; c++) {
        char value[3] = { 'a', (char)c, 'b' };
        struct buf out = BUF_INIT(100), back = BUF_INIT(100);
        struct slice in;

        CASE("byte %d", c);
        if (imap_put_string(&out, slice_make(value, 3), false) == IMAP_QUOTED) {
            in = buf_slice(&out);
            CHECK(c < 0x80 && c != '\r' && c != '\n');
            CHECK_INT(imap_string(&in, &back), 0);
            CHECK_SLICE(buf_slice(&back), slice_make(value, 3));
            CHECK_INT(in.n, 0);
        } else {
            CHECK(c >= 0x80 || c == '\r' || c == '\n');
            CHECK_INT(out.len, 0);
        }
        buf_release(&out);
        buf_release(&back);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_round_trip),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
