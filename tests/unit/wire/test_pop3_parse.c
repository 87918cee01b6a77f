/* SPDX-License-Identifier: MIT */
#include "wire/pop3_parse.h"
#include "wire/sasl_name.h"

#include "../unit.h"

#include "wire/limits.h"

static const struct {
    const char *name;
    struct slice line;
    int rc;
    enum pop3_status status;
    struct slice code, text;
} replies[] = {
    { "plain", SLICE("+OK POP3 server ready"), 0, POP3_OK, SLICE(""), SLICE("POP3 server ready") },
    { "no text", SLICE("+OK"), 0, POP3_OK, SLICE(""), SLICE("") },
    { "blanks alone behind", SLICE("+OK  \t"), 0, POP3_OK, SLICE(""), SLICE("") },
    { "lower case", SLICE("+ok 2 320"), 0, POP3_OK, SLICE(""), SLICE("2 320") },
    { "mixed case", SLICE("-Err no"), 0, POP3_ERR, SLICE(""), SLICE("no") },
    { "several blanks", SLICE("-ERR   no such message  "), 0, POP3_ERR, SLICE(""), SLICE("no such message") },
    { "+OK twice", SLICE("+OK +OK 120 octets"), 0, POP3_OK, SLICE(""), SLICE("+OK 120 octets") },
    { "a comma", SLICE("+OK, ready"), 0, POP3_OK, SLICE(""), SLICE(", ready") },
    { "a CR left over", SLICE("+OK done\r"), 0, POP3_OK, SLICE(""), SLICE("done") },
    { "blanks in front", SLICE(" +OK done"), 0, POP3_OK, SLICE(""), SLICE("done") },
    { "IN-USE", SLICE("-ERR [IN-USE] Do you have another POP session running?"), 0, POP3_ERR, SLICE("IN-USE"),
      SLICE("Do you have another POP session running?") },
    { "a code of two levels", SLICE("-ERR [SYS/TEMP] later"), 0, POP3_ERR, SLICE("SYS/TEMP"), SLICE("later") },
    { "a code alone", SLICE("-ERR [AUTH]"), 0, POP3_ERR, SLICE("AUTH"), SLICE("") },
    { "no blank around a code", SLICE("-ERR[LOGIN-DELAY]wait"), 0, POP3_ERR, SLICE("LOGIN-DELAY"), SLICE("wait") },
    { "a code on +OK", SLICE("+OK [x.y] z"), 0, POP3_OK, SLICE("x.y"), SLICE("z") },
    { "brackets with blanks are text", SLICE("-ERR [not a code] z"), 0, POP3_ERR, SLICE(""), SLICE("[not a code] z") },
    { "empty brackets are text", SLICE("-ERR [] z"), 0, POP3_ERR, SLICE(""), SLICE("[] z") },
    { "a bracket without end", SLICE("-ERR [IN-USE"), 0, POP3_ERR, SLICE(""), SLICE("[IN-USE") },
    { "a control byte in brackets", SLICE("-ERR [A\x1b] z"), 0, POP3_ERR, SLICE(""), SLICE("[A\x1b] z") },
    { "a code in the middle is text", SLICE("-ERR no [IN-USE]"), 0, POP3_ERR, SLICE(""), SLICE("no [IN-USE]") },
    { "NUL and 8-bit text", SLICE("-ERR \0\xff"), 0, POP3_ERR, SLICE(""), SLICE("\0\xff") },
    { "a challenge", SLICE("+ UHJvdmU="), 0, POP3_CONTINUE, SLICE(""), SLICE("UHJvdmU=") },
    { "an empty challenge", SLICE("+ "), 0, POP3_CONTINUE, SLICE(""), SLICE("") },
    { "a plus alone", SLICE("+"), 0, POP3_CONTINUE, SLICE(""), SLICE("") },
    { "a challenge is not looked into", SLICE("+ [x] y"), 0, POP3_CONTINUE, SLICE(""), SLICE("[x] y") },
    { "empty", SLICE(""), -1, POP3_OK, SLICE(""), SLICE("") },
    { "runs on", SLICE("+OKAY"), -1, POP3_OK, SLICE(""), SLICE("") },
    { "runs on into digits", SLICE("-ERR5"), -1, POP3_OK, SLICE(""), SLICE("") },
    { "no sign", SLICE("OK ready"), -1, POP3_OK, SLICE(""), SLICE("") },
    { "the wrong sign", SLICE("-OK"), -1, POP3_OK, SLICE(""), SLICE("") },
    { "an SMTP greeting", SLICE("220 mail ESMTP"), -1, POP3_OK, SLICE(""), SLICE("") },
    { "an IMAP greeting", SLICE("* OK ready"), -1, POP3_OK, SLICE(""), SLICE("") },
};

static void test_replies(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
        struct slice exact = slice_make(slice_dup(replies[i].line), replies[i].line.n);
        struct pop3_reply got;

        CASE("%s", replies[i].name);
        CHECK_INT(pop3_parse_reply(exact, &got), replies[i].rc);
        if (replies[i].rc == 0) {
            CHECK_INT(got.status, replies[i].status);
            CHECK_SLICE(got.code, replies[i].code);
            CHECK_SLICE(got.text, replies[i].text);
        }
        free((char *)exact.p);
    }
}

#define NEVER UINT32_MAX
static const struct {
    const char *name;
    struct slice line;
    struct pop3_caps caps;
} caps[] = {
    { "one word", SLICE("PIPELINING"), { POP3_CAP_PIPELINING, 0, NEVER, 0 } },
    { "lower case", SLICE("uidl"), { POP3_CAP_UIDL, 0, NEVER, 0 } },
    { "trailing blanks", SLICE("TOP  "), { POP3_CAP_TOP, 0, NEVER, 0 } },
    { "leading blanks", SLICE("  STLS"), { POP3_CAP_STLS, 0, NEVER, 0 } },
    { "RESP-CODES", SLICE("RESP-CODES"), { POP3_CAP_RESP_CODES, 0, NEVER, 0 } },
    { "AUTH-RESP-CODE", SLICE("AUTH-RESP-CODE"), { POP3_CAP_AUTH_RESP_CODE, 0, NEVER, 0 } },
    { "USER", SLICE("USER"), { POP3_CAP_USER, 0, NEVER, 0 } },
    { "LANG", SLICE("LANG"), { POP3_CAP_LANG, 0, NEVER, 0 } },
    { "SASL with mechanisms",
      SLICE("SASL CRAM-MD5 plain   LOGIN XOAUTH2"),
      { 0, 0, NEVER, SASL_CRAM_MD5 | SASL_PLAIN | SASL_LOGIN | SASL_XOAUTH2 } },
    { "SASL without any", SLICE("SASL"), { 0, 0, NEVER, 0 } },
    { "SASL with a longer name", SLICE("SASL PLAIN-CLIENTTOKEN"), { 0, 0, NEVER, 0 } },
    { "the name for disable_extensions is no capability", SLICE("AUTH=PLAIN"), { 0, 0, NEVER, 0 } },
    { "UTF8", SLICE("UTF8"), { POP3_CAP_UTF8, 0, NEVER, 0 } },
    { "UTF8 USER", SLICE("UTF8 USER"), { POP3_CAP_UTF8 | POP3_CAP_UTF8_USER, 0, NEVER, 0 } },
    { "LOGIN-DELAY", SLICE("LOGIN-DELAY 900 USER"), { 0, 900, NEVER, 0 } },
    { "LOGIN-DELAY without a number", SLICE("LOGIN-DELAY"), { 0, 0, NEVER, 0 } },
    { "LOGIN-DELAY beyond 32 bits", SLICE("LOGIN-DELAY 4294967296"), { 0, 0, NEVER, 0 } },
    { "LOGIN-DELAY below zero", SLICE("LOGIN-DELAY -1"), { 0, 0, NEVER, 0 } },
    { "EXPIRE NEVER", SLICE("EXPIRE NEVER"), { 0, 0, NEVER, 0 } },
    { "EXPIRE 60", SLICE("EXPIRE 60"), { 0, 0, 60, 0 } },
    { "EXPIRE 0", SLICE("EXPIRE 0 USER"), { 0, 0, 0, 0 } },
    { "unknown", SLICE("IMPLEMENTATION Shlemazle-Plotz-v302"), { 0, 0, NEVER, 0 } },
    { "the beginning of a name", SLICE("UID"), { 0, 0, NEVER, 0 } },
    { "empty", SLICE(""), { 0, 0, NEVER, 0 } },
    { "NUL", SLICE("UIDL\0"), { 0, 0, NEVER, 0 } },
};

static void check_caps(struct pop3_caps got, struct pop3_caps want)
{
    CHECK_INT(got.bits, want.bits);
    CHECK_INT(got.login_delay, want.login_delay);
    CHECK_INT(got.expire_days, want.expire_days);
    CHECK_INT(got.auth, want.auth);
}

static void test_caps(void **state)
{
    struct pop3_caps all = POP3_CAPS_NONE;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(caps); i++) {
        struct pop3_caps got = POP3_CAPS_NONE;

        CASE("%s", caps[i].name);
        pop3_parse_cap_line(caps[i].line, &got);
        check_caps(got, caps[i].caps);
        pop3_parse_cap_line(caps[i].line, &all);
    }
    CASE("lines add up; of several numbers the stricter counts");
    pop3_parse_cap_line(SLICE("LOGIN-DELAY 5"), &all);
    pop3_parse_cap_line(SLICE("EXPIRE 90"), &all);
    check_caps(all, (struct pop3_caps){ (POP3_CAP_LANG << 1) - 1, 900, 0,
                                        SASL_CRAM_MD5 | SASL_PLAIN | SASL_LOGIN | SASL_XOAUTH2 });
    CASE("an absent line");
    pop3_parse_cap_line(SLICE_NONE, &all);
    check_caps(all, (struct pop3_caps){ (POP3_CAP_LANG << 1) - 1, 900, 0,
                                        SASL_CRAM_MD5 | SASL_PLAIN | SASL_LOGIN | SASL_XOAUTH2 });
}

static void test_cap_names(void **state)
{
    (void)state;
    CASE("names for disable_extensions");
    CHECK_INT(pop3_cap_from_name(SLICE("PIPELINING")), POP3_CAP_PIPELINING);
    CHECK_INT(pop3_cap_from_name(SLICE("stls")), POP3_CAP_STLS);
    CHECK_INT(pop3_cap_from_name(SLICE("UTF8")), POP3_CAP_UTF8 | POP3_CAP_UTF8_USER);
    CHECK_INT(pop3_cap_from_name(SLICE("SASL")), 0);
    CHECK_INT(pop3_cap_from_name(SLICE("auth=plain")), 0);
    CHECK_INT(pop3_cap_from_name(SLICE("MOVE")), 0);
    CHECK_INT(pop3_cap_from_name(SLICE("")), 0);
}

static const struct {
    const char *name;
    struct slice line;
    int rc;
    uint32_t number;
    uint64_t octets;
} numbers[] = {
    { "plain", SLICE("2 320"), 0, 2, 320 },
    { "several blanks and a tab", SLICE("  2 \t 320  "), 0, 2, 320 },
    { "text behind", SLICE("1 120 whatever"), 0, 1, 120 },
    { "more than 32 bits of octets", SLICE("1 18446744073709551615"), 0, 1, UINT64_MAX },
    { "the largest number", SLICE("4294967295 0"), 0, UINT32_MAX, 0 },
    { "octets overflow", SLICE("1 18446744073709551616"), -1, 0, 0 },
    { "the number overflows", SLICE("4294967296 1"), -1, 0, 0 },
    { "one number", SLICE("2"), -1, 0, 0 },
    { "letters behind the octets", SLICE("1 120x"), -1, 0, 0 },
    { "letters behind the number", SLICE("1x 120"), -1, 0, 0 },
    { "a sign", SLICE("-1 120"), -1, 0, 0 },
    { "negative octets", SLICE("1 -120"), -1, 0, 0 },
    { "empty", SLICE(""), -1, 0, 0 },
    { "words", SLICE("no messages"), -1, 0, 0 },
};

static void test_stat_and_list(void **state)
{
    uint32_t number = 9;
    uint64_t octets = 9;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        uint32_t want_number = numbers[i].rc == 0 ? numbers[i].number : 9;
        uint64_t want_octets = numbers[i].rc == 0 ? numbers[i].octets : 9;

        CASE("STAT, %s", numbers[i].name);
        number = octets = 9;
        CHECK_INT(pop3_parse_stat(numbers[i].line, &number, &octets), numbers[i].rc);
        CHECK(number == want_number && octets == want_octets);
        CASE("LIST, %s", numbers[i].name);
        number = octets = 9;
        CHECK_INT(pop3_parse_list_line(numbers[i].line, &number, &octets), numbers[i].rc);
        CHECK(number == want_number && octets == want_octets);
    }
    CASE("an empty mailbox has a STAT");
    CHECK_INT(pop3_parse_stat(SLICE("0 0"), &number, &octets), 0);
    CHECK_INT(number, 0);
    CASE("but there is no message 0");
    CHECK_INT(pop3_parse_list_line(SLICE("0 120"), &number, &octets), -1);
}

static const struct {
    const char *name;
    struct slice line;
    int rc;
    uint32_t number;
    struct slice uidl;
} uidls[] = {
    { "plain", SLICE("1 whqtswO00WBw418f9t5JxYwZ"), 0, 1, SLICE("whqtswO00WBw418f9t5JxYwZ") },
    { "several blanks", SLICE("12    abc"), 0, 12, SLICE("abc") },
    { "tabs, and blanks around", SLICE(" 12\tabc \t"), 0, 12, SLICE("abc") },
    { "blank", SLICE("3 "), 0, 3, SLICE("") },
    { "absent", SLICE("3"), 0, 3, SLICE("") },
    { "odd bytes of X-UIDL", SLICE("4 \"!#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"), 0, 4,
      SLICE("\"!#$%&'()*+,-./:;<=>?@[\\]^_`{|}~") },
    { "a Message-ID", SLICE("5 <20261120.1@example.org>"), 0, 5, SLICE("<20261120.1@example.org>") },
    { "a path", SLICE("6 ../../etc/passwd"), 0, 6, SLICE("../../etc/passwd") },
    { "8-bit, control bytes and NUL", SLICE("7 \xff\x01\0z"), 0, 7, SLICE("\xff\x01\0z") },
    { "a blank inside belongs to it", SLICE("8 a b"), 0, 8, SLICE("a b") },
    { "digits", SLICE("9 10"), 0, 9, SLICE("10") },
    { "the largest number", SLICE("4294967295 a"), 0, UINT32_MAX, SLICE("a") },
    { "the number overflows", SLICE("4294967296 a"), -1, 0, SLICE("") },
    { "number 0", SLICE("0 a"), -1, 0, SLICE("") },
    { "no blank between", SLICE("1a"), -1, 0, SLICE("") },
    { "no number", SLICE("whqtswO00WBw418f9t5JxYwZ"), -1, 0, SLICE("") },
    { "a sign", SLICE("+1 a"), -1, 0, SLICE("") },
    { "empty", SLICE(""), -1, 0, SLICE("") },
    { "blanks alone", SLICE("   "), -1, 0, SLICE("") },
};

static void test_uidl(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(uidls); i++) {
        struct slice uidl = SLICE("untouched");
        uint32_t number = 0;

        CASE("%s", uidls[i].name);
        CHECK_INT(pop3_parse_uidl_line(uidls[i].line, &number, &uidl), uidls[i].rc);
        CHECK_INT(number, uidls[i].number);
        CHECK_SLICE(uidl, uidls[i].rc == 0 ? uidls[i].uidl : SLICE("untouched"));
    }
}

static void test_long_uidl(void **state)
{
    char line[LIMIT_UIDL + 3];
    struct slice uidl;
    uint32_t number;

    (void)state;
    memset(line, 'u', sizeof(line));
    line[0] = '7';
    line[1] = ' ';
    CASE("as long as the limit");
    CHECK_INT(pop3_parse_uidl_line(slice_make(line, LIMIT_UIDL + 2), &number, &uidl), 0);
    CHECK_INT(uidl.n, LIMIT_UIDL);
    CASE("one byte more counts as none");
    CHECK_INT(pop3_parse_uidl_line(slice_make(line, LIMIT_UIDL + 3), &number, &uidl), 0);
    CHECK_INT(number, 7);
    CHECK_INT(uidl.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies),       cmocka_unit_test(test_caps), cmocka_unit_test(test_cap_names),
        cmocka_unit_test(test_stat_and_list), cmocka_unit_test(test_uidl), cmocka_unit_test(test_long_uidl),
    };

    return cmocka_run_group_tests_name("pop3_parse", tests, NULL, NULL);
}
