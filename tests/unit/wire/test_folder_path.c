/* SPDX-License-Identifier: MIT */
#include "wire/folder.h"

#include "../unit.h"

#include "wire/limits.h"

static const struct {
    const char *what;
    struct slice name;
    char delimiter;
    struct slice maildirpp, fs;
} cases[] = {
    { "INBOX is the root", SLICE("INBOX"), '/', SLICE(""), SLICE("") },
    { "a child of INBOX", SLICE("INBOX/Work"), '/', SLICE(".INBOX.Work"), SLICE("INBOX/Work") },
    { "other spellings are other folders", SLICE("Inbox"), '/', SLICE(".Inbox"), SLICE("Inbox") },
    { "plain", SLICE("Archive"), '/', SLICE(".Archive"), SLICE("Archive") },
    { "two levels", SLICE("Archive/2026"), '/', SLICE(".Archive.2026"), SLICE("Archive/2026") },
    { "two levels, dots", SLICE("Archive.2026"), '.', SLICE(".Archive.2026"), SLICE("Archive/2026") },
    { "no delimiter", SLICE("a/b.c"), '\0', SLICE(".a%2Fb%2Ec"), SLICE("a%2Fb.c") },
    { "UTF-8 stays", SLICE("Entw\xc3\xbcrfe"), '/', SLICE(".Entw\xc3\xbcrfe"), SLICE("Entw\xc3\xbcrfe") },
    { "bytes that are no UTF-8", SLICE("caf\xe9"), '/', SLICE(".caf%E9"), SLICE("caf%E9") },
    { "cut-off UTF-8", SLICE("a\xe2\x82/b"), '/', SLICE(".a%E2%82.b"), SLICE("a%E2%82/b") },
    { "percent", SLICE("100%"), '/', SLICE(".100%25"), SLICE("100%25") },
    { "a name that looks escaped", SLICE("%2E"), '/', SLICE(".%252E"), SLICE("%252E") },
    { "dots inside", SLICE("a.b/c.d"), '/', SLICE(".a%2Eb.c%2Ed"), SLICE("a.b/c.d") },
    { "a leading dot", SLICE(".ssh"), '/', SLICE(".%2Essh"), SLICE("%2Essh") },
    { "up and away", SLICE("../../etc/passwd"), '/', SLICE(".%2E%2E.%2E%2E.etc.passwd"),
      SLICE("%2E./%2E./etc/passwd") },
    { "up under dots", SLICE("a...b"), '.', SLICE(".a.%.%.b"), SLICE("a/%/%/b") },
    { "an absolute path", SLICE("/etc/passwd"), '/', SLICE(".%.etc.passwd"), SLICE("%/etc/passwd") },
    { "an absolute path under dots", SLICE("/etc/passwd"), '.', SLICE(".%2Fetc%2Fpasswd"), SLICE("%2Fetc%2Fpasswd") },
    { "this directory", SLICE("."), '/', SLICE(".%2E"), SLICE("%2E") },
    { "only a delimiter", SLICE("/"), '/', SLICE(".%.%"), SLICE("%/%") },
    { "an empty name is not the root", SLICE(""), '/', SLICE(".%"), SLICE("%") },
    { "an empty component in between", SLICE("a//b"), '/', SLICE(".a.%.b"), SLICE("a/%/b") },
    { "a delimiter at the end", SLICE("a/"), '/', SLICE(".a.%"), SLICE("a/%") },
    { "cur, new and tmp", SLICE("cur/new/tmp"), '/', SLICE(".%63ur.%6Eew.%74mp"), SLICE("%63ur/%6Eew/%74mp") },
    { "not quite cur", SLICE("curs/Cur/cu"), '/', SLICE(".curs.Cur.cu"), SLICE("curs/Cur/cu") },
    { "the marker of the root", SLICE("mailhaul-id"), '/', SLICE(".%6Dailhaul-id"), SLICE("%6Dailhaul-id") },
    { "control characters", SLICE("a\r\n\x1b\x7f\0"), '/', SLICE(".a%0D%0A%1B%7F%00"), SLICE("a%0D%0A%1B%7F%00") },
    { "C1 control characters", SLICE("\xc2\x80\xc2\x9f\xc2\xa0"), '/', SLICE(".%C2%80%C2%9F\xc2\xa0"),
      SLICE("%C2%80%C2%9F\xc2\xa0") },
    { "backslash as delimiter", SLICE("a\\b"), '\\', SLICE(".a.b"), SLICE("a/b") },
    { "percent as delimiter", SLICE("a%b"), '%', SLICE(".a.b"), SLICE("a/b") },
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int layout = FOLDER_MAILDIRPP; layout <= FOLDER_FS; layout++) {
            struct buf out = BUF_INIT(4096);
            struct slice path = layout == FOLDER_FS ? cases[i].fs : cases[i].maildirpp;

            CASE("%s, layout %d", cases[i].what, layout);
            CHECK_INT(folder_to_path(cases[i].name, cases[i].delimiter, (enum folder_layout)layout, &out), 0);
            CHECK_SLICE(buf_slice(&out), path);
            buf_clear(&out);
            CHECK_INT(folder_from_path(path, cases[i].delimiter, (enum folder_layout)layout, &out), 0);
            CHECK_SLICE(buf_slice(&out), cases[i].name);
            buf_release(&out);
        }
    }
}

/* What no path may be, whatever the name was. */
static void check_safe(struct slice path, enum folder_layout layout)
{
    static const char *const forbidden[] = { "", ".", "..", "cur", "new", "tmp", ".mailhaul-id" };

    for (size_t i = 0; i < path.n; i++)
        CHECK((unsigned char)path.p[i] >= 0x20 && path.p[i] != 0x7f);
    CHECK(utf8_valid(path));
    CHECK(layout == FOLDER_FS || (path.n >= 2 && path.p[0] == '.' && memchr(path.p, '/', path.n) == NULL));
    for (;;) {
        const char *slash = memchr(path.p, '/', path.n);
        struct slice component = slice_make(path.p, slash != NULL ? (size_t)(slash - path.p) : path.n);

        CHECK(component.n <= 255);
        CHECK(layout == FOLDER_MAILDIRPP || component.n == 0 || component.p[0] != '.');
        for (size_t i = 0; i < ARRAY_LEN(forbidden); i++)
            CHECK(!slice_eq(component, slice_str(forbidden[i])));
        if (slash == NULL)
            return;
        path = slice_from(path, component.n + 1);
    }
}

/* One to one: the way back is a function, so two names cannot share a path. */
static void check_name(struct slice name, char delimiter)
{
    for (int l = FOLDER_MAILDIRPP; l <= FOLDER_FS; l++) {
        enum folder_layout layout = (enum folder_layout)l;
        struct buf path = BUF_INIT(4096), back = BUF_INIT(4096);

        CHECK_INT(folder_to_path(name, delimiter, layout, &path), 0);
        if (slice_eq(name, SLICE("INBOX")))
            CHECK_INT(path.len, 0);
        else
            check_safe(buf_slice(&path), layout);
        CHECK_INT(folder_from_path(buf_slice(&path), delimiter, layout, &back), 0);
        CHECK_SLICE(buf_slice(&back), name);
        buf_release(&path);
        buf_release(&back);
    }
}

static void test_one_to_one(void **state)
{
    static const struct slice pieces[] = {
        SLICE("cur"),  SLICE("tmp"),  SLICE("mailhaul-id"), SLICE("INBOX"), SLICE("."),    SLICE("/"),
        SLICE("%"),    SLICE("%2E"),  SLICE("%63ur"),       SLICE("a"),     SLICE("\xff"), SLICE("\xc3\xa9"),
        SLICE("\x1b"), SLICE("\xc2"), SLICE("\x85"),        SLICE("\\"),    SLICE("\0"),
    };
    static const char delimiters[] = { '/', '.', '\0', '\\', '%', 'u', '2' };
    enum { PIECES = ARRAY_LEN(pieces), LONGEST = 3 };

    (void)state;
    for (unsigned n = 0, total = 1; n <= LONGEST; n++, total *= PIECES) {
        for (unsigned code = 0; code < total; code++) {
            struct buf name = BUF_INIT(200);

            for (unsigned i = 0, left = code; i < n; i++, left /= PIECES)
                CHECK_INT(buf_put_slice(&name, pieces[left % PIECES]), 0);
            for (size_t d = 0; d < ARRAY_LEN(delimiters); d++) {
                CASE("name %u of %u pieces (%s) under '%c'", code, n, buf_cstr(&name), delimiters[d]);
                check_name(buf_slice(&name), delimiters[d]);
            }
            buf_release(&name);
        }
    }
}

/* Paths that other programs, or people, made in the same root. */
static void test_foreign_paths(void **state)
{
    static const struct {
        const char *what;
        struct slice path;
        enum folder_layout layout;
    } foreign[] = {
        { "no leading dot", SLICE("Sub"), FOLDER_MAILDIRPP },
        { "an empty component", SLICE(".a..b"), FOLDER_MAILDIRPP },
        { "a dot alone", SLICE("."), FOLDER_MAILDIRPP },
        { "the marker", SLICE(".mailhaul-id"), FOLDER_MAILDIRPP },
        { "lower case hex", SLICE(".a%2fb"), FOLDER_MAILDIRPP },
        { "escaped without need", SLICE(".%41"), FOLDER_MAILDIRPP },
        { "cut-off escape", SLICE(".a%2"), FOLDER_MAILDIRPP },
        { "percent alone inside", SLICE(".a%b"), FOLDER_MAILDIRPP },
        { "INBOX has one place", SLICE(".INBOX"), FOLDER_MAILDIRPP },
        { "the delimiter in escaped form", SLICE(".a%2Fb"), FOLDER_MAILDIRPP },
        { "invalid UTF-8", SLICE(".\xff"), FOLDER_MAILDIRPP },
        { "INBOX has one place", SLICE("INBOX"), FOLDER_FS },
        { "cur", SLICE("a/cur"), FOLDER_FS },
        { "a hidden directory", SLICE(".git"), FOLDER_FS },
        { "up", SLICE("a/../b"), FOLDER_FS },
        { "absolute", SLICE("/a"), FOLDER_FS },
        { "a slash at the end", SLICE("a/"), FOLDER_FS },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(foreign); i++) {
        struct buf out = BUF_INIT(100);

        CASE("%s", foreign[i].what);
        CHECK_INT(buf_put_str(&out, "before"), 0);
        CHECK_INT(folder_from_path(foreign[i].path, '/', foreign[i].layout, &out), -1);
        CHECK_SLICE(buf_slice(&out), SLICE("before"));
        buf_release(&out);
    }
    CASE("two levels without a delimiter");
    struct buf out = BUF_INIT(100);
    CHECK_INT(folder_from_path(SLICE("a/b"), '\0', FOLDER_FS, &out), -1);
    CHECK_INT(folder_from_path(SLICE(".a.b"), '\0', FOLDER_MAILDIRPP, &out), -1);
    buf_release(&out);
}

static void check_fits(size_t n, char letter, char delimiter, enum folder_layout layout, int rc)
{
    struct buf out = BUF_INIT(100000);
    char name[4096];

    for (size_t i = 0; i < n; i++)
        name[i] = i % 100 == 99 ? delimiter : letter;
    CASE("%zu times '%c', delimiter '%c', layout %d", n, letter, delimiter, layout);
    CHECK_INT(buf_put_str(&out, "before"), 0);
    CHECK_INT(folder_to_path(slice_make(name, n), delimiter, layout, &out), rc);
    if (rc != 0)
        CHECK_SLICE(buf_slice(&out), SLICE("before"));
    buf_release(&out);
}

static void test_lengths(void **state)
{
    (void)state;
    check_fits(254, 'a', 'a', FOLDER_MAILDIRPP, -1);
    check_fits(254, 'a', '/', FOLDER_MAILDIRPP, 0);
    check_fits(255, 'a', '/', FOLDER_MAILDIRPP, -1);
    check_fits(99, '%', '/', FOLDER_FS, -1);
    check_fits(85, '%', '/', FOLDER_FS, 0);
    check_fits(86, '%', '/', FOLDER_FS, -1);
    check_fits(LIMIT_FOLDER_NAME * 3, 'a', '/', FOLDER_FS, -1);
    check_fits(LIMIT_FOLDER_NAME * 3 - 1, 'a', '/', FOLDER_FS, 0);
    check_fits(LIMIT_FOLDER_NAME * 3 + 1, 'a', '/', FOLDER_FS, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_one_to_one),
        cmocka_unit_test(test_foreign_paths),
        cmocka_unit_test(test_lengths),
    };

    return cmocka_run_group_tests_name("folder_path", tests, NULL, NULL);
}
