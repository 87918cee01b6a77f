/* SPDX-License-Identifier: MIT */
#include "wire/mailflag.h"

#include "../unit.h"

static const struct {
    const char *name;
    unsigned flags;
    struct slice letters;
    unsigned back; /* of the flags, what the letters can hold */
} cases[] = {
    { "none", 0, SLICE(""), 0 },
    { "seen", MAIL_SEEN, SLICE("S"), MAIL_SEEN },
    { "all, in ASCII order", MAIL_SEEN | MAIL_ANSWERED | MAIL_FLAGGED | MAIL_DRAFT, SLICE("DFRS"),
      MAIL_SEEN | MAIL_ANSWERED | MAIL_FLAGGED | MAIL_DRAFT },
    { "deleted and recent have no letter", MAIL_DELETED | MAIL_RECENT | MAIL_FLAGGED, SLICE("F"), MAIL_FLAGGED },
    { "bits that nobody defined", ~0u, SLICE("DFRS"), MAIL_SEEN | MAIL_ANSWERED | MAIL_FLAGGED | MAIL_DRAFT },
};

static void test_letters(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char letters[MAILFLAG_LETTERS];

        CASE("%s", cases[i].name);
        CHECK_INT(mailflag_letters(cases[i].flags, letters), cases[i].letters.n);
        CHECK_SLICE(slice_str(letters), cases[i].letters);
        CHECK_INT(mailflag_from_letters(cases[i].letters), cases[i].back);
    }
}

static void test_foreign_letters(void **state)
{
    (void)state;
    CASE("letters of other programs, any order, twice");
    CHECK_INT(mailflag_from_letters(SLICE("abPSTSR,\0")), MAIL_SEEN | MAIL_ANSWERED);
    CASE("letters are case sensitive: lower case ones are keywords of Dovecot");
    CHECK_INT(mailflag_from_letters(SLICE("sdrf")), 0);
}

static void test_imap_names(void **state)
{
    static const struct {
        struct slice name;
        unsigned flag;
    } names[] = {
        { SLICE("\\Seen"), MAIL_SEEN },
        { SLICE("\\SEEN"), MAIL_SEEN },
        { SLICE("\\answered"), MAIL_ANSWERED },
        { SLICE("\\Flagged"), MAIL_FLAGGED },
        { SLICE("\\Draft"), MAIL_DRAFT },
        { SLICE("\\Deleted"), MAIL_DELETED },
        { SLICE("\\Recent"), MAIL_RECENT },
        { SLICE("Seen"), 0 },
        { SLICE("$Forwarded"), 0 },
        { SLICE("\\Seen\0"), 0 },
        { SLICE("\\"), 0 },
        { SLICE(""), 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        CASE("%.*s", SLICE_ARG(names[i].name));
        CHECK_INT(mailflag_from_imap(names[i].name), names[i].flag);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_letters),
        cmocka_unit_test(test_foreign_letters),
        cmocka_unit_test(test_imap_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
