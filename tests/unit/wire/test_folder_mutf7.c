/* SPDX-License-Identifier: MIT */
#include "wire/folder.h"

#include "../unit.h"

/* Well-formed: both ways. */
static const struct {
    const char *name;
    struct slice wire, utf8;
} cases[] = {
    { "ASCII", SLICE("Archive/2026"), SLICE("Archive/2026") },
    { "empty", SLICE(""), SLICE("") },
    { "ampersand", SLICE("R&-D"), SLICE("R&D") },
    { "two ampersands", SLICE("&-&-"), SLICE("&&") },
    { "German", SLICE("Entw&APw-rfe"), SLICE("Entw\xc3\xbcrfe") },
    { "the example of the RFC", SLICE("~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
      SLICE("~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e") },
    { "one shift for a whole run", SLICE("&U,BTF2XlZyyKng-"),
      SLICE("\xe5\x8f\xb0\xe5\x8c\x97\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e") },
    { "the example of the RFC, shifted back", SLICE("&Jjo-!"), SLICE("\xe2\x98\xba!") },
    { "outside the first plane", SLICE("&2D3crA-"), SLICE("\xf0\x9f\x92\xac") },
    { "an ampersand behind a shift", SLICE("&AOk-&-"), SLICE("\xc3\xa9&") },
    { "an ampersand before a shift", SLICE("&-&AOk-"), SLICE("&\xc3\xa9") },
    { "control characters", SLICE("a&AAkAfw-b"),
      SLICE("a\t\x7f"
            "b") },
    { "C1 control", SLICE("&AIU-"), SLICE("\xc2\x85") },
    { "odd ASCII", SLICE("a\\b\"c*d%e{f}"), SLICE("a\\b\"c*d%e{f}") },
    { "a backslash that is no raw escape", SLICE("\\x4 \\xg0 \\X41"), SLICE("\\x4 \\xg0 \\X41") },
};

static const struct {
    const char *name;
    struct slice wire;
} refused[] = {
    { "no shift back", SLICE("&AOk") },
    { "no shift back before ASCII", SLICE("&Jjo!") },
    { "an ampersand at the end", SLICE("R&") },
    { "a bare ampersand", SLICE("R&D") },
    { "a superfluous shift", SLICE("&U,BTFw-&ZeVnLIqe-") },
    { "ASCII in base64", SLICE("&AGE-") },
    { "an ampersand in base64", SLICE("&ACY-") },
    { "half a unit", SLICE("&AO-") },
    { "bits left over", SLICE("&AOl-") },
    { "a letter too many", SLICE("&AOkA-") },
    { "a high surrogate alone", SLICE("&2D0-") },
    { "a low surrogate alone", SLICE("&3Kw-") },
    { "two high surrogates", SLICE("&2D3YPQ-") },
    { "a high surrogate and a letter", SLICE("&2D0A6Q-") },
    { "a slash in base64", SLICE("&U/BTFw-") },
    { "padding", SLICE("&AOk=-") },
    { "U+0000", SLICE("&AAA-") },
    { "NUL", SLICE("a\0b") },
    { "8-bit on the wire", SLICE("caf\xc3\xa9") },
    { "a control byte on the wire", SLICE("a\r\nb") },
    { "what a raw name looks like", SLICE("caf\\xe9") },
    { "what a raw name looks like, decoded", SLICE("&AOk-\\xE9") },
};

static void test_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out = BUF_INIT(200);

        CASE("%s", cases[i].name);
        CHECK_INT(folder_from_mutf7(cases[i].wire, '/', &out), 0);
        CHECK_SLICE(buf_slice(&out), cases[i].utf8);
        buf_clear(&out);
        CHECK_INT(folder_to_mutf7(cases[i].utf8, &out), 0);
        CHECK_SLICE(buf_slice(&out), cases[i].wire);
        buf_clear(&out);
        CHECK_INT(folder_from_utf8(cases[i].utf8, '/', &out), 0);
        CHECK_SLICE(buf_slice(&out), cases[i].utf8);
        buf_release(&out);
    }
}

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct buf out = BUF_INIT(200);

        CASE("%s", refused[i].name);
        CHECK_INT(buf_put_str(&out, "before"), 0);
        CHECK_INT(folder_from_mutf7(refused[i].wire, '/', &out), -1);
        CHECK_SLICE(buf_slice(&out), SLICE("before"));
        buf_release(&out);
    }
}

static void test_refused_to_wire(void **state)
{
    struct buf out = BUF_INIT(200);

    (void)state;
    CASE("not UTF-8");
    CHECK_INT(folder_to_mutf7(SLICE("a\xc3\xa9\xff"), &out), -1);
    CHECK_INT(out.len, 0);
    CASE("U+0000");
    CHECK_INT(folder_to_mutf7(SLICE("a\0"), &out), -1);
    CASE("not UTF-8, under UTF8=ACCEPT");
    CHECK_INT(folder_from_utf8(SLICE("a\xff"), '/', &out), -1);
    CASE("NUL, under UTF8=ACCEPT");
    CHECK_INT(folder_from_utf8(SLICE("a\0"), '/', &out), -1);
    CASE("what a raw name looks like, under UTF8=ACCEPT");
    CHECK_INT(folder_from_utf8(SLICE("a\\x00"), '/', &out), -1);
    CHECK_INT(out.len, 0);
    buf_release(&out);
}

static void test_inbox(void **state)
{
    static const struct {
        struct slice wire;
        char delimiter;
        struct slice name;
    } names[] = {
        { SLICE("Inbox"), '/', SLICE("INBOX") },           { SLICE("inbox"), '\0', SLICE("INBOX") },
        { SLICE("inbox.Work"), '.', SLICE("INBOX.Work") }, { SLICE("inbox/inbox"), '/', SLICE("INBOX/inbox") },
        { SLICE("inbox.Work"), '/', SLICE("inbox.Work") }, { SLICE("Inboxes"), '/', SLICE("Inboxes") },
        { SLICE("a/inbox"), '/', SLICE("a/inbox") },       { SLICE("inbo"), '/', SLICE("inbo") },
        { SLICE("inboxs"), 's', SLICE("INBOXs") },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct buf out = BUF_INIT(200);

        CASE("%s under '%c'", names[i].wire.p, names[i].delimiter);
        CHECK_INT(buf_put_str(&out, "x"), 0);
        CHECK_INT(folder_from_mutf7(names[i].wire, names[i].delimiter, &out), 0);
        CHECK_SLICE(slice_from(buf_slice(&out), 1), names[i].name);
        buf_clear(&out);
        CHECK_INT(folder_from_utf8(names[i].wire, names[i].delimiter, &out), 0);
        CHECK_SLICE(buf_slice(&out), names[i].name);
        buf_release(&out);
    }
}

static void test_raw(void **state)
{
    struct buf out = BUF_INIT(40);

    (void)state;
    CASE("8-bit, control bytes, NUL");
    CHECK_INT(folder_from_raw(SLICE("caf\xe9 \r\n\0z"), &out), 0);
    CHECK_SLICE(buf_slice(&out), SLICE("caf\\xe9 \\x0d\\x0a\\x00z"));
    CASE("an ampersand and a backslash are escaped too");
    buf_clear(&out);
    CHECK_INT(folder_from_raw(SLICE("R&D\\x41"), &out), 0);
    CHECK_SLICE(buf_slice(&out), SLICE("R\\x26D\\x5cx41"));
    CASE("no room: nothing");
    CHECK_INT(folder_from_raw(SLICE("0123456789012345678901234567\xff"), &out), -1);
    CHECK_SLICE(buf_slice(&out), SLICE("R\\x26D\\x5cx41"));
    buf_release(&out);
}

/* Every wire name of up to five of these letters gets one name in the program, and no two the same. */
static void test_no_two_names_alike(void **state)
{
    static const char *const letters[] = { "&", "-", "AOk", "\\", "x26", "A", "\xe9" };
    enum { LETTERS = ARRAY_LEN(letters), LONGEST = 5 };

    (void)state;
    for (unsigned n = 1, total = LETTERS; n <= LONGEST; n++, total *= LETTERS) {
        for (unsigned code = 0; code < total; code++) {
            struct buf wire = BUF_INIT(100), name = BUF_INIT(400), back = BUF_INIT(400);

            for (unsigned i = 0, left = code; i < n; i++, left /= LETTERS)
                CHECK_INT(buf_put_str(&wire, letters[left % LETTERS]), 0);
            CASE("%s", buf_cstr(&wire));
            if (folder_from_mutf7(buf_slice(&wire), '/', &name) == 0) {
                CHECK_INT(folder_to_mutf7(buf_slice(&name), &back), 0);
                CHECK_SLICE(buf_slice(&back), buf_slice(&wire));
            } else {
                CHECK_INT(folder_from_raw(buf_slice(&wire), &name), 0);
                CHECK_INT(folder_from_utf8(buf_slice(&name), '/', &back), -1);
            }
            buf_release(&wire);
            buf_release(&name);
            buf_release(&back);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways), cmocka_unit_test(test_refused), cmocka_unit_test(test_refused_to_wire),
        cmocka_unit_test(test_inbox),     cmocka_unit_test(test_raw),     cmocka_unit_test(test_no_two_names_alike),
    };

    return cmocka_run_group_tests_name("folder_mutf7", tests, NULL, NULL);
}
