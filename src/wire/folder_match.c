/* SPDX-License-Identifier: MIT */
#include "wire/folder.h"

#include "wire/imap_parse.h"

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

bool folder_match(struct slice pattern, struct slice name, char delimiter)
{
    enum { NOWHERE = -1 };
    size_t inbox = inbox_length(name, delimiter), p = 0, n = 0;
    /* Where to go on when what follows the last wildcard does not fit: that wildcard takes one byte more. Behind a `*`
     * an earlier wildcard never needs to be tried again; behind a `%` only the `*` before it does. */
    size_t star_n = 0, percent_n = 0;
    ptrdiff_t star_p = NOWHERE, percent_p = NOWHERE;

    for (;;) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star_p = (ptrdiff_t)++p;
            star_n = n;
            percent_p = NOWHERE;
        } else if (p < pattern.n && pattern.p[p] == '%') {
            percent_p = (ptrdiff_t)++p;
            percent_n = n;
        } else if (p == pattern.n && n == name.n) {
            return true;
        } else if (p < pattern.n && n < name.n &&
                   (pattern.p[p] == name.p[n] || (pattern.p[p] == '/' && delimiter != '\0' && name.p[n] == delimiter) ||
                    (n < inbox && ascii_lower(pattern.p[p]) == ascii_lower(name.p[n])))) {
            p++;
            n++;
        } else if (percent_p != NOWHERE && percent_n < name.n &&
                   (delimiter == '\0' || name.p[percent_n] != delimiter)) {
            p = (size_t)percent_p;
            n = ++percent_n;
        } else if (star_p != NOWHERE && star_n < name.n) {
            p = (size_t)star_p;
            n = ++star_n;
            percent_p = NOWHERE;
        } else {
            return false;
        }
    }
}

bool folder_selected(const char *const *patterns, size_t count, struct slice name, char delimiter, unsigned attrs)
{
    bool selected = false;

    if (attrs & IMAP_ATTR_NOSELECT)
        return false;
    for (size_t i = 0; i < count; i++) {
        struct slice pattern = slice_str(patterns[i]);
        bool exclude = slice_starts(pattern, SLICE("!"));

        if (exclude)
            pattern = slice_from(pattern, 1);
        if (slice_starts(pattern, SLICE("\\")) ? (imap_attr_from_name(pattern) & IMAP_ATTR_SPECIAL_USE & attrs) != 0
                                               : folder_match(pattern, name, delimiter))
            selected = !exclude;
    }
    return selected;
}
