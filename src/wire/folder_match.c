/* SPDX-License-Identifier: MIT */
#include "wire/folder.h"

#include "wire/imap_parse.h"
#include "wire/limits.h"

bool folder_is_pattern(struct slice pattern)
{
    for (size_t i = 0; i < pattern.n; i++) {
        if (pattern.p[i] == '*' || pattern.p[i] == '%')
            return true;
    }
    return false;
}

/* How many bytes at the front of `name` are the word INBOX, which has no case. */
static size_t inbox_length(struct slice name, char delimiter)
{
    bool inbox = slice_istarts(name, SLICE("INBOX")) && (name.n == 5 || (delimiter != '\0' && name.p[5] == delimiter));

    return inbox ? 5 : 0;
}

static bool same_letter(char p, char n, char delimiter, bool any_case)
{
    return p == n || (p == '/' && delimiter != '\0' && n == delimiter) ||
           (any_case && ascii_lower(p) == ascii_lower(n));
}

bool folder_match(struct slice pattern, struct slice name, char delimiter)
{
    /* fits[n]: the part of the pattern that was looked at matches the first n bytes of the name. Linear in pattern
     * times name, which backtracking over two kinds of wildcards is not. */
    bool fits[LIMIT_FOLDER_NAME + 1];
    size_t inbox = inbox_length(name, delimiter);

    if (name.n > LIMIT_FOLDER_NAME)
        return false;
    memset(fits, 0, name.n + 1);
    fits[0] = true;
    for (size_t i = 0; i < pattern.n; i++) {
        char p = pattern.p[i];
        bool wildcard = p == '*' || p == '%', one_less = fits[0];

        fits[0] = fits[0] && wildcard;
        for (size_t n = 1; n <= name.n; n++) {
            char c = name.p[n - 1];
            bool before = fits[n];

            if (!wildcard)
                fits[n] = one_less && same_letter(p, c, delimiter, n <= inbox);
            else if (fits[n - 1] && (p == '*' || delimiter == '\0' || c != delimiter))
                fits[n] = true;
            one_less = before;
        }
    }
    return fits[name.n];
}

bool folder_selected(const char *const *patterns, size_t count, struct slice name, char delimiter, unsigned attrs)
{
    bool selected = false;

    if (attrs & IMAP_ATTR_NOSELECT)
        return false;
    for (size_t i = 0; i < count; i++) {
        struct slice pattern = slice_str(patterns[i]);
        bool exclude = slice_starts(pattern, SLICE("!")), fits;

        if (exclude)
            pattern = slice_from(pattern, 1);
        fits = slice_starts(pattern, SLICE("\\")) ? (imap_attr_from_name(pattern) & IMAP_ATTR_SPECIAL_USE & attrs) != 0
                                                  : folder_match(pattern, name, delimiter);
        if (fits && exclude)
            return false;
        selected |= fits && !exclude;
    }
    return selected;
}
