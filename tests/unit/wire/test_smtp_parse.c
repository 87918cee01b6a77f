/* SPDX-License-Identifier: MIT */
#include "wire/sasl_name.h"
#include "wire/smtp_parse.h"

#include "../unit.h"

static const struct {
    const char *name;
    struct slice line;
    int rc;
    unsigned code;
    bool last;
    struct slice text;
} lines[] = {
    { "plain", SLICE("250 2.1.0 Ok"), 0, 250, true, SLICE("2.1.0 Ok") },
    { "more to come", SLICE("250-PIPELINING"), 0, 250, false, SLICE("PIPELINING") },
    { "the code alone", SLICE("354"), 0, 354, true, SLICE("") },
    { "the code and a blank", SLICE("250 "), 0, 250, true, SLICE("") },
    { "the code and a hyphen", SLICE("250-"), 0, 250, false, SLICE("") },
    { "a hyphen and blanks", SLICE("250-  "), 0, 250, false, SLICE("") },
    { "a tab", SLICE("250\tfine"), 0, 250, true, SLICE("fine") },
    { "a CR left over", SLICE("250 fine\r"), 0, 250, true, SLICE("fine") },
    { "a CR alone behind", SLICE("250\r"), 0, 250, true, SLICE("") },
    { "text that begins with a hyphen", SLICE("250 -x"), 0, 250, true, SLICE("-x") },
    { "two hyphens", SLICE("250--x"), 0, 250, false, SLICE("-x") },
    { "NUL and 8-bit text", SLICE("550 \0\xff"), 0, 550, true, SLICE("\0\xff") },
    { "the smallest", SLICE("200 x"), 0, 200, true, SLICE("x") },
    { "the largest", SLICE("599 x"), 0, 599, true, SLICE("x") },
    { "below", SLICE("199 x"), -1, 0, false, SLICE("") },
    { "above", SLICE("600 x"), -1, 0, false, SLICE("") },
    { "empty", SLICE(""), -1, 0, false, SLICE("") },
    { "two digits", SLICE("25"), -1, 0, false, SLICE("") },
    { "two digits and a blank", SLICE("25 x"), -1, 0, false, SLICE("") },
    { "four digits", SLICE("2500 x"), -1, 0, false, SLICE("") },
    { "runs on", SLICE("250ok"), -1, 0, false, SLICE("") },
    { "a blank in front", SLICE(" 250 ok"), -1, 0, false, SLICE("") },
    { "a sign", SLICE("+50 ok"), -1, 0, false, SLICE("") },
    { "a POP3 greeting", SLICE("+OK ready"), -1, 0, false, SLICE("") },
    { "an IMAP greeting", SLICE("* OK ready"), -1, 0, false, SLICE("") },
};

static void test_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct slice exact = slice_make(malloc(lines[i].line.n + 1), lines[i].line.n);
        struct smtp_line got = { 0 };

        CASE("%s", lines[i].name);
        assert_non_null(exact.p);
        memcpy((char *)(uintptr_t)exact.p, lines[i].line.p, exact.n);
        ((char *)(uintptr_t)exact.p)[exact.n] = '9';
        CHECK_INT(smtp_parse_line(exact, &got), lines[i].rc);
        CHECK_INT(got.code, lines[i].code);
        CHECK_INT(got.last, lines[i].last);
        CHECK_SLICE(got.text, lines[i].text);
        free((char *)(uintptr_t)exact.p);
    }
}

static const struct {
    unsigned code;
    const char *text;
    bool has;
    unsigned class, subject, detail;
    const char *rest;
} enhanced[] = {
    { 550, "5.1.1 no such user", true, 5, 1, 1, "no such user" },
    { 250, "2.0.0", true, 2, 0, 0, "" },
    { 452, "4.2.2   full", true, 4, 2, 2, "full" },
    { 550, "5.999.999 x", true, 5, 999, 999, "x" },
    { 550, "5.1000.1 x", false, 0, 0, 0, "5.1000.1 x" },
    { 550, "5.1.99999999999 x", false, 0, 0, 0, "5.1.99999999999 x" },
    { 550, "4.1.1 another class", false, 0, 0, 0, "4.1.1 another class" },
    { 354, "3.0.0 no such class", false, 0, 0, 0, "3.0.0 no such class" },
    { 550, "5.1 two parts", false, 0, 0, 0, "5.1 two parts" },
    { 550, "5.1.1.1 four parts", false, 0, 0, 0, "5.1.1.1 four parts" },
    { 550, "5.1.1: a colon", false, 0, 0, 0, "5.1.1: a colon" },
    { 550, "5..1 x", false, 0, 0, 0, "5..1 x" },
    { 550, "", false, 0, 0, 0, "" },
    { 550, "no such user", false, 0, 0, 0, "no such user" },
};

static void test_enhanced(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(enhanced); i++) {
        struct slice text = slice_str(enhanced[i].text);
        struct smtp_enhanced got = { 0 };

        CASE("%u %s", enhanced[i].code, enhanced[i].text);
        CHECK_INT(smtp_take_enhanced(enhanced[i].code, &text, &got), enhanced[i].has);
        CHECK_INT(got.class, enhanced[i].class);
        CHECK_INT(got.subject, enhanced[i].subject);
        CHECK_INT(got.detail, enhanced[i].detail);
        CHECK_SLICE(text, slice_str(enhanced[i].rest));
    }
}

static const struct {
    const char *lines; /* with LF between them */
    uint32_t bits;
    uint64_t max_size;
    uint32_t auth;
} caps[] = {
    { "PIPELINING", SMTP_CAP_PIPELINING, 0, 0 },
    { "pipelining\nChunking\n8bitmime\nSMTPUTF8\nSTARTTLS\nENHANCEDSTATUSCODES",
      SMTP_CAP_PIPELINING | SMTP_CAP_CHUNKING | SMTP_CAP_8BITMIME | SMTP_CAP_SMTPUTF8 | SMTP_CAP_STARTTLS |
          SMTP_CAP_ENHANCED,
      0, 0 },
    { "BURL imap", SMTP_CAP_BURL, 0, 0 },
    { "SIZE", SMTP_CAP_SIZE, 0, 0 },
    { "SIZE 0", SMTP_CAP_SIZE, 0, 0 },
    { "SIZE 10240000", SMTP_CAP_SIZE, 10240000, 0 },
    { "SIZE 18446744073709551615", SMTP_CAP_SIZE, UINT64_MAX, 0 },
    { "SIZE 18446744073709551616", SMTP_CAP_SIZE, 0, 0 },
    { "SIZE -1", SMTP_CAP_SIZE, 0, 0 },
    { "SIZE 10 20", SMTP_CAP_SIZE, 10, 0 },
    { "SIZE 200\nSIZE 100\nSIZE 300\nSIZE", SMTP_CAP_SIZE, 100, 0 },
    { "AUTH PLAIN LOGIN", SMTP_CAP_AUTH, 0, SASL_PLAIN | SASL_LOGIN },
    { "auth cram-md5 plain", SMTP_CAP_AUTH, 0, SASL_CRAM_MD5 | SASL_PLAIN },
    { "AUTH SCRAM-SHA-256", SMTP_CAP_AUTH, 0, SASL_SCRAM_SHA_256 },
    { "AUTH", 0, 0, 0 },
    { "AUTH=PLAIN", SMTP_CAP_AUTH, 0, SASL_PLAIN },
    { "AUTH=LOGIN PLAIN", SMTP_CAP_AUTH, 0, SASL_PLAIN | SASL_LOGIN },
    { "  AUTH= LOGIN", SMTP_CAP_AUTH, 0, SASL_LOGIN },
    { "AUTH PLAINER", SMTP_CAP_AUTH, 0, 0 },
    { "XPIPELINING\nPIPELININGX\nHELP\n\n ", 0, 0, 0 },
};

static void test_caps(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(caps); i++) {
        struct slice left = slice_make(caps[i].lines, strlen(caps[i].lines));
        struct smtp_caps got = { 0 };

        CASE("%s", caps[i].lines);
        while (left.n > 0) {
            const char *lf = memchr(left.p, '\n', left.n);
            size_t n = lf != NULL ? (size_t)(lf - left.p) : left.n;

            smtp_parse_cap_line(slice_make(left.p, n), &got);
            left = slice_from(left, n + (lf != NULL));
        }
        CHECK_INT(got.bits, caps[i].bits);
        CHECK_INT(got.max_size, caps[i].max_size);
        CHECK_INT(got.auth, caps[i].auth);
    }
}

static void test_names(void **state)
{
    (void)state;
    CASE("names for disable_extensions");
    CHECK_INT(smtp_cap_from_name(SLICE("pipelining")), SMTP_CAP_PIPELINING);
    CHECK_INT(smtp_cap_from_name(SLICE("CHUNKING")), SMTP_CAP_CHUNKING);
    CHECK_INT(smtp_cap_from_name(SLICE("AUTH")), SMTP_CAP_AUTH);
    CHECK_INT(smtp_cap_from_name(SLICE("auth=plain")), 0);
    CHECK_INT(smtp_cap_from_name(SLICE("PIPE")), 0);
    CHECK_INT(smtp_cap_from_name(SLICE_NONE), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_enhanced),
        cmocka_unit_test(test_caps),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
