/* SPDX-License-Identifier: MIT */
#include "wire/imap_parse.h"
#include "wire/sasl_name.h"

#include "../unit.h"

static const uint32_t rev2 = IMAP_CAP_IMAP4REV2 | IMAP_CAP_NAMESPACE | IMAP_CAP_UNSELECT | IMAP_CAP_UIDPLUS |
                             IMAP_CAP_ESEARCH | IMAP_CAP_ENABLE | IMAP_CAP_IDLE | IMAP_CAP_SASL_IR |
                             IMAP_CAP_LIST_EXTENDED | IMAP_CAP_LIST_STATUS | IMAP_CAP_MOVE | IMAP_CAP_LITERAL_MINUS;

static void test_lists(void **state)
{
    static const struct {
        const char *name;
        struct slice names;
        struct imap_caps want;
    } cases[] = {
        { "none", SLICE(""), { 0 } },
        { "Dovecot before login",
          SLICE("IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ STARTTLS LOGINDISABLED"),
          { IMAP_CAP_IMAP4REV1 | IMAP_CAP_SASL_IR | IMAP_CAP_ID | IMAP_CAP_ENABLE | IMAP_CAP_IDLE |
                IMAP_CAP_LITERAL_PLUS | IMAP_CAP_STARTTLS | IMAP_CAP_LOGINDISABLED,
            0, 0, 0 } },
        { "Gmail",
          SLICE("IMAP4rev1 UNSELECT X-GM-EXT-1 AUTH=PLAIN COMPRESS=DEFLATE APPENDLIMIT=35651584"),
          { IMAP_CAP_IMAP4REV1 | IMAP_CAP_UNSELECT | IMAP_CAP_GMAIL | IMAP_CAP_COMPRESS_DEFLATE, 0, 35651584,
            SASL_PLAIN } },
        { "Yahoo", SLICE("UIDONLY PARTIAL MESSAGELIMIT=1000"), { IMAP_CAP_UIDONLY | IMAP_CAP_PARTIAL, 1000, 0, 0 } },
        { "any case, blanks, a line end",
          SLICE("  imap4REV1\t Idle \r\n"),
          { IMAP_CAP_IMAP4REV1 | IMAP_CAP_IDLE, 0, 0, 0 } },
        { "names that only begin like known ones", SLICE("IDLES MOV UTF8= AUTH= AUTH=PLAINER"), { 0 } },
        { "rev2 brings its extensions", SLICE("IMAP4rev2"), { rev2, 0, 0, 0 } },
        { "QRESYNC implies CONDSTORE", SLICE("QRESYNC"), { IMAP_CAP_QRESYNC | IMAP_CAP_CONDSTORE, 0, 0, 0 } },
        { "UTF8=ONLY accepts too", SLICE("UTF8=ONLY"), { IMAP_CAP_UTF8_ONLY | IMAP_CAP_UTF8_ACCEPT, 0, 0, 0 } },
        { "limits that are none",
          SLICE("APPENDLIMIT APPENDLIMIT=-1 MESSAGELIMIT= MESSAGELIMIT=4294967296 ID"),
          { IMAP_CAP_ID | IMAP_CAP_APPENDLIMIT, 0, 0, 0 } },
        { "the largest limits",
          SLICE("APPENDLIMIT=18446744073709551615 MESSAGELIMIT=4294967295"),
          { 0, UINT32_MAX, UINT64_MAX, 0 } },
        { "ways to log in",
          SLICE("AUTH=SCRAM-SHA-256-PLUS auth=scram-sha-256 AUTH=OAUTHBEARER AUTH=NTLM ID"),
          { IMAP_CAP_ID, 0, 0, SASL_SCRAM_SHA_256_PLUS | SASL_SCRAM_SHA_256 | SASL_OAUTHBEARER } },
        { "a NUL inside a name", SLICE("ID\0LE MOVE"), { IMAP_CAP_ID | IMAP_CAP_MOVE, 0, 0, 0 } },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct imap_caps got = { UINT64_MAX, 9, 9, 9 };

        CASE("%s", cases[i].name);
        imap_parse_caps(cases[i].names, &got);
        CHECK_INT(got.bits, cases[i].want.bits);
        CHECK_INT(got.message_limit, cases[i].want.message_limit);
        CHECK_INT(got.append_limit, cases[i].want.append_limit);
        CHECK_INT(got.auth, cases[i].want.auth);
    }
}

/* Each bit of the header has a name, and no two names are the same bit. */
static void test_every_name(void **state)
{
    static const char *const names[] = {
        "IMAP4REV1",     "IMAP4REV2",   "STARTTLS",    "LOGINDISABLED",    "SASL-IR",
        "LITERAL+",      "LITERAL-",    "ID",          "ENABLE",           "IDLE",
        "NOTIFY",        "UIDPLUS",     "MOVE",        "CONDSTORE",        "QRESYNC",
        "LIST-EXTENDED", "LIST-STATUS", "SPECIAL-USE", "COMPRESS=DEFLATE", "OBJECTID",
        "X-GM-EXT-1",    "UTF8=ACCEPT", NULL,          "UIDONLY",          "PARTIAL",
        "UNSELECT",      "ESEARCH",     "XLIST",       "NAMESPACE",        "MULTIAPPEND",
        "APPENDLIMIT",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (names[i] == NULL)
            continue;
        CASE("%s", names[i]);
        CHECK_INT(imap_cap_from_name(slice_str(names[i])), UINT64_C(1) << i);
    }
    CASE("UTF8=ONLY");
    CHECK_INT(imap_cap_from_name(SLICE("utf8=only")), IMAP_CAP_UTF8_ACCEPT | IMAP_CAP_UTF8_ONLY);
    CASE("unknown");
    CHECK_INT(imap_cap_from_name(SLICE("X-NOTHING")), 0);
    CHECK_INT(imap_cap_from_name(SLICE("")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_every_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
