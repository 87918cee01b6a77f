/* SPDX-License-Identifier: MIT */
#include "wire/folder.h"

#include "../unit.h"

#include "wire/imap_parse.h"
#include "wire/limits.h"

static const struct {
    const char *pattern, *name;
    char delimiter;
    bool match;
} matches[] = {
    { "INBOX", "INBOX", '/', true },
    { "inbox", "INBOX", '/', true },
    { "Inbox/Work", "INBOX/Work", '/', true },
    { "in*", "INBOX", '/', true },
    { "inbox*", "INBOX.Work", '.', true },
    { "INBOX", "INBOX/Work", '/', false },
    { "inboxes", "INBOXES", '/', false },
    { "inbox/work", "INBOX/Work", '/', false },
    { "inbox.Work", "INBOX.Work", '/', false },
    { "archive", "Archive", '/', false },
    { "Archive", "Archive", '/', true },
    { "Archive", "Archives", '/', false },
    { "*", "anything/at/all", '/', true },
    { "*", "", '/', true },
    { "%", "one", '/', true },
    { "%", "", '/', true },
    { "%", "one/two", '/', false },
    { "%", "one/two", '.', true },
    { "%", "one/two", '\0', true },
    { "Archive/*", "Archive/2026/11", '/', true },
    { "Archive/*", "Archive", '/', false },
    { "Archive/%", "Archive/2026", '/', true },
    { "Archive/%", "Archive/2026/11", '/', false },
    { "Archive/*", "Archive.2026", '.', true },
    { "Archive.*", "Archive/2026", '/', false },
    { "a/b", "a/b", '.', true },
    { "a/b", "a\\b", '\\', true },
    { "%/%", "a/b", '/', true },
    { "%/%", "a/b/c", '/', false },
    { "%/%", "a/b.c", '.', true },
    { "%/%", "a/b.c.d", '.', false },
    { "*/%", "a/b/c", '/', true },
    { "*%c", "a/b/c", '/', true },
    { "*b%d", "abxb/cbd", '/', true },
    { "*b%d", "abxb/cb/d", '/', false },
    { "%a%b", "xaayab", '/', true },
    { "%a*b%c", "xa/b/bc", '/', true },
    { "*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", '/', false },
    { "**", "a", '/', true },
    { "%%", "a/b", '/', false },
    { "", "", '/', true },
    { "", "a", '/', false },
    { "a*", "", '/', false },
    { "*a", "b", '/', false },
};

static void test_match(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(matches); i++) {
        CASE("%s against %s under '%c'", matches[i].pattern, matches[i].name, matches[i].delimiter);
        CHECK_INT(folder_match(slice_str(matches[i].pattern), slice_str(matches[i].name), matches[i].delimiter),
                  matches[i].match);
    }
}

static void test_lengths(void **state)
{
    char name[LIMIT_FOLDER_NAME + 1];
    double before;

    (void)state;
    memset(name, 'a', sizeof(name));
    CASE("as long as a name may be");
    CHECK(folder_match(SLICE("*"), slice_make(name, LIMIT_FOLDER_NAME), '/'));
    CASE("longer");
    CHECK(!folder_match(SLICE("*"), slice_make(name, LIMIT_FOLDER_NAME + 1), '/'));
    CASE("many wildcards cost no more than their number");
    before = unit_cpu_seconds();
    CHECK(!folder_match(SLICE("*a%a*a%a*a%a*a%a*a%a*a%a*a%a*a%a*a%a*b"), slice_make(name, LIMIT_FOLDER_NAME), '/'));
    CHECK(unit_cpu_seconds() - before < 1);
}

static void test_is_pattern(void **state)
{
    (void)state;
    CASE("wildcards make a pattern");
    CHECK(folder_is_pattern(SLICE("Archive/*")));
    CHECK(folder_is_pattern(SLICE("%")));
    CHECK(!folder_is_pattern(SLICE("Archive")));
    CHECK(!folder_is_pattern(SLICE("\\Sent")));
    CHECK(!folder_is_pattern(SLICE("")));
}

#define LIST(...)                                                                                                      \
    {                                                                                                                  \
        __VA_ARGS__, NULL                                                                                              \
    }
static const struct {
    const char *what;
    const char *patterns[5];
    const char *name;
    unsigned attrs;
    bool selected;
} selections[] = {
    { "named", LIST("INBOX", "Archive/*", "!Archive/Spam", "\\Sent"), "INBOX", 0, true },
    { "by pattern", LIST("INBOX", "Archive/*", "!Archive/Spam", "\\Sent"), "Archive/2026", 0, true },
    { "excluded", LIST("INBOX", "Archive/*", "!Archive/Spam", "\\Sent"), "Archive/Spam", 0, false },
    { "by special use", LIST("INBOX", "Archive/*", "!Archive/Spam", "\\Sent"), "Gesendet", IMAP_ATTR_SENT, true },
    { "special use in any case", LIST("\\sEnT"), "Gesendet", IMAP_ATTR_SENT, true },
    { "another special use", LIST("\\Sent"), "Trash", IMAP_ATTR_TRASH, false },
    { "a name that is not asked for", LIST("INBOX", "Archive/*"), "Lists", 0, false },
    { "nothing asked for", { NULL }, "INBOX", 0, false },
    { "only excluded", LIST("!Spam"), "INBOX", 0, false },
    { "excluded, whatever stands behind it", LIST("*", "!Lists/*", "Lists/mailhaul"), "Lists/mailhaul", 0, false },
    { "excluded before it is selected", LIST("!Spam", "*"), "Spam", 0, false },
    { "its siblings stay out", LIST("*", "!Lists/*", "Lists/mailhaul"), "Lists/other", 0, false },
    { "excluded by special use", LIST("*", "!\\Junk"), "Werbung", IMAP_ATTR_JUNK, false },
    { "a later pattern over a special use", LIST("\\Sent", "!Gesendet"), "Gesendet", IMAP_ATTR_SENT, false },
    { "an unknown special use", LIST("\\Nonsense"), "Nonsense", ~0u & ~(unsigned)IMAP_ATTR_NOSELECT, false },
    { "an attribute that is no use", LIST("\\Subscribed"), "a", IMAP_ATTR_SUBSCRIBED, false },
    { "a folder that cannot be opened", LIST("*"), "[Gmail]", IMAP_ATTR_NOSELECT, false },
    { "an exclamation mark alone", LIST("*", "!"), "a", 0, true },
};

static void test_selected(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(selections); i++) {
        size_t count = 0;

        while (selections[i].patterns[count] != NULL)
            count++;
        CASE("%s", selections[i].what);
        CHECK_INT(
            folder_selected(selections[i].patterns, count, slice_str(selections[i].name), '/', selections[i].attrs),
            selections[i].selected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_match),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_is_pattern),
        cmocka_unit_test(test_selected),
    };

    return cmocka_run_group_tests_name("folder_match", tests, NULL, NULL);
}
